"""Sparse gradients: uncoalesced rows or elements, sometimes none."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lib import F32, F64, Values, encode, write
from optim.dense import title
from optim.trajectory import SNAPSHOTS, STEPS, camel, data_of, state_dict, stream

# shape of the parameter, number of leading sparse dimensions
PARAMS = [((6,), 1), ((5, 3), 1), ((4, 3), 2)]

INPUTS: dict[str, list[dict[str, Any]]] = {
    "SparseAdam": [{}, {"lr": 0.01}, {"maximize": True}, {"betas": (0.8, 0.95), "eps": 1e-3}, {"lr": 0.04, "eps": 1e-2}],
    "SGD": [
        {}, {"lr": 0.01}, {"lr": 0.01, "momentum": 0.9}, {"lr": 0.01, "momentum": 0.9, "nesterov": True}, {"lr": 0.01, "momentum": 0.5, "dampening": 0.5, "maximize": True},
    ],
    "Adagrad": [{}, {"lr": 0.1}, {"lr": 0.1, "lr_decay": 0.1}, {"initial_accumulator_value": 0.1, "maximize": True}, {"lr": 0.1, "eps": 0.1}],
}  # fmt: skip
REFUSED: list[tuple[str, dict[str, Any]]] = [("SGD", {"weight_decay": 0.1}), ("Adagrad", {"weight_decay": 0.1})]
REFUSED += [
    (n, {})
    for n in ("Adam", "AdamW", "Adamax", "Adadelta", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop", "Adafactor", "Muon")
]


def sparse_gradient(param: int, step: int, shape: tuple[int, ...], sparse_dims: int, dtype: torch.dtype) -> Tensor:
    """Three entries, none at steps 7, 17 and so on; at even steps the last repeats the place of the first."""
    bits = stream(param, step)
    count = 0 if step % 10 == 7 else 3
    places = [[next(bits) % n for n in shape[:sparse_dims]] for _ in range(count)]
    if count and step % 2 == 0:
        places[-1] = places[0]
    rest = shape[sparse_dims:]
    size = int(torch.Size(rest).numel())
    values = [(next(bits) - 512) / 256 for _ in range(count * size)]
    indices = torch.tensor(places, dtype=torch.int64).reshape(count, sparse_dims).t()
    data = torch.tensor(values, dtype=F64).reshape(count, *rest).to(dtype)
    return torch.sparse_coo_tensor(indices, data, shape)


def run(optimizer: str, options: dict[str, Any], dtype: torch.dtype, save: int | None = None) -> dict[str, Any]:
    v = Values("sparse")
    params = [v.real(*shape, dtype=dtype).requires_grad_() for shape, _ in PARAMS]
    live = getattr(torch.optim, optimizer)(params, **options)
    case: dict[str, Any] = {
        "optimizer": optimizer,
        "name": title(options),
        "dtype": dtype,
        "options": camel(options),
        "sparse": True,
    }
    case["sparseDims"] = [d for _, d in PARAMS]
    case["params"] = encode([p.detach() for p in params])
    snapshots, saved = [], None
    for step in range(1, STEPS + 1):
        for i, (shape, dims) in enumerate(PARAMS):
            params[i].grad = sparse_gradient(i, step, shape, dims, dtype)
        live.step()
        if step in SNAPSHOTS:
            snapshots.append({"step": step, "params": data_of(params)})
        if step == save:
            saved = {"step": step, "stateDict": state_dict(live)}
    case["snapshots"] = snapshots
    if saved is not None:
        case |= {"name": "saved halfway", "saved": saved}
    return {**case, "stateDict": state_dict(live)}


def refusal(optimizer: str, options: dict[str, Any]) -> dict[str, Any]:
    p = torch.ones(5, 3, requires_grad=True)
    p.grad = sparse_gradient(0, 1, (5, 3), 1, F32)
    try:
        getattr(torch.optim, optimizer)([p], **options).step()
    except RuntimeError as error:
        return {"optimizer": optimizer, "options": camel(options), "error": True, "reason": str(error).split("\n")[0]}
    raise AssertionError(f"{optimizer} took a sparse gradient")


def record() -> None:
    cases = [run(name, o, dtype) for name, inputs in INPUTS.items() for o in inputs for dtype in (F64, F32)]
    cases += [run("SparseAdam", {"lr": 0.01}, dtype, save=50) for dtype in (F64, F32)]
    cases += [run("SGD", {"lr": 0.01, "momentum": 0.9}, dtype, save=50) for dtype in (F64, F32)]
    write("optim-sparse", cases)
    refused = [refusal(name, o) for name, o in REFUSED]
    p = torch.ones(2, requires_grad=True)
    p.grad = torch.ones(2)
    try:
        torch.optim.SparseAdam([p]).step()
    except RuntimeError as error:
        refused.append({"optimizer": "SparseAdam", "options": {}, "dense": True, "error": True, "reason": str(error)})
    write("optim-sparse-refused", refused)
