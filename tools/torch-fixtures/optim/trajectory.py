"""Runs one optimizer along prescribed gradients and records what it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from lib import F64, Values, encode, encode_data, permuted, sliced

STEPS = 100
SNAPSHOTS = (1, 2, 3, 5, 10, 25, 50, 75, 100)
MASK = 0xFFFFFFFF

CAMEL = {
    "weight_decay": "weightDecay", "decoupled_weight_decay": "decoupledWeightDecay", "lr_decay": "lrDecay", "momentum_decay": "momentumDecay",
    "initial_accumulator_value": "initialAccumulatorValue", "step_sizes": "stepSizes", "beta2_decay": "beta2Decay", "ns_coefficients": "nsCoefficients",
    "ns_steps": "nsSteps", "adjust_lr_fn": "adjustLrFn", "max_iter": "maxIter", "max_eval": "maxEval", "tolerance_grad": "toleranceGrad",
    "tolerance_change": "toleranceChange", "history_size": "historySize", "line_search_fn": "lineSearchFn",
}  # fmt: skip


def camel(options: dict[str, Any]) -> dict[str, Any]:
    return {CAMEL.get(k, k): v for k, v in options.items()}


def stream(param: int, step: int) -> Any:
    """A linear congruential generator; yields its top ten bits. The reader has the same one."""
    x = (param * 0x9E3779B1 + step * 0x85EBCA77 + 0x1234567) & MASK
    while True:
        x = (x * 1664525 + 1013904223) & MASK
        yield x >> 22


def gradient(param: int, step: int, like: Tensor) -> Tensor:
    """Multiples of 1/256 in [-2, 2): exact in every format but bfloat16, so both sides compute the same."""
    bits = stream(param, step)
    values = [(next(bits) - 512) / 256 for _ in range(like.numel())]
    return torch.tensor(values, dtype=F64).reshape(like.shape).to(like.dtype)


def default_params(dtype: torch.dtype) -> list[Tensor]:
    """0-d, empty, one element, vector, matrix, transposed view, strided view."""
    v = Values("parameters")
    return [
        v.real(dtype=dtype),
        torch.zeros(0, dtype=dtype),
        v.real(1, dtype=dtype),
        v.real(5, dtype=dtype),
        v.real(3, 4, dtype=dtype),
        permuted(v.real(3, 2, dtype=dtype), [1, 0]),
        sliced(v.real(4, dtype=dtype), 0),
    ]


def matrix_params(dtype: torch.dtype) -> list[Tensor]:
    """For optimizers that take matrices only."""
    v = Values("matrices")
    return [
        v.real(4, 4, dtype=dtype),
        v.real(3, 5, dtype=dtype),
        v.real(6, 2, dtype=dtype),
        v.real(1, 5, dtype=dtype),
        permuted(v.real(3, 2, dtype=dtype), [1, 0]),
    ]


def nonempty_params(dtype: torch.dtype) -> list[Tensor]:
    """For optimizers that divide by the number of elements: a stack of matrices instead of the empty one."""
    params = default_params(dtype)
    params[1] = Values("stack").real(2, 3, 2, dtype=dtype)
    return params


@dataclass
class Scenario:
    """`options` and the options in `groups` and `edits` are PyTorch's keyword arguments.

    `missing` and `zero` are (param, first step, last step): no gradient at all, and a gradient of zeros.
    `edits` are (step, group, options), applied before that step. `save` is a step after which the state is saved.
    """

    optimizer: str
    name: str
    options: dict[str, Any] = field(default_factory=dict)
    groups: list[tuple[list[int], dict[str, Any]]] | None = None
    missing: list[tuple[int, int, int]] = field(default_factory=list)
    zero: list[tuple[int, int, int]] = field(default_factory=list)
    edits: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    save: int | None = None
    make_params: Any = default_params


def covers(rules: list[tuple[int, int, int]], param: int, step: int) -> bool:
    return any(p == param and first <= step <= last for p, first, last in rules)


def spans(rules: list[tuple[int, int, int]]) -> list[dict[str, int]]:
    return [{"param": p, "from": first, "to": last} for p, first, last in rules]


def data_of(params: list[Tensor]) -> list[Any]:
    return [encode_data(p) for p in params]


def state_dict(optimizer: torch.optim.Optimizer) -> Any:
    """In PyTorch's own shape and spelling; sparse buffers coalesced."""

    def settle(value: Any) -> Any:
        if isinstance(value, Tensor) and value.layout == torch.sparse_coo:
            return value.coalesce()
        if isinstance(value, dict):
            return {k: settle(v) for k, v in value.items()}
        return value

    return encode(settle(optimizer.state_dict()))


def run(s: Scenario, dtype: torch.dtype) -> dict[str, Any]:
    params = s.make_params(dtype)
    initial = encode(params)
    leaves = [p.detach().requires_grad_() for p in params]
    kind = getattr(torch.optim, s.optimizer)
    if s.groups is None:
        optimizer = kind(leaves, **s.options)
    else:
        optimizer = kind([{"params": [leaves[i] for i in ids], **own} for ids, own in s.groups], **s.options)
    case: dict[str, Any] = {"optimizer": s.optimizer, "name": s.name, "dtype": dtype, "options": camel(s.options)}
    case["params"] = initial
    if s.groups is not None:
        case["groups"] = [{"params": ids, "options": camel(own)} for ids, own in s.groups]
    if s.missing:
        case["noGrad"] = spans(s.missing)
    if s.zero:
        case["zeroGrad"] = spans(s.zero)
    if s.edits:
        case["edits"] = [{"step": at, "group": g, "options": camel(o)} for at, g, o in s.edits]
    snapshots = []
    saved = None
    for step in range(1, STEPS + 1):
        for at, group, options in s.edits:
            if at == step:
                optimizer.param_groups[group].update(options)
        for i, p in enumerate(leaves):
            if covers(s.missing, i, step):
                p.grad = None
            else:
                g = gradient(i, step, p)
                p.grad = torch.zeros_like(g) if covers(s.zero, i, step) else g
        optimizer.step()
        if step in SNAPSHOTS:
            snapshots.append({"step": step, "params": data_of(leaves)})
        if step == s.save:
            saved = {"step": step, "stateDict": state_dict(optimizer)}
    case["snapshots"] = snapshots
    if saved is not None:
        case["saved"] = saved
    case["stateDict"] = state_dict(optimizer)
    return case
