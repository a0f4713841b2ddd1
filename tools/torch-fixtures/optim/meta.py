"""One and two steps with `differentiable=True`, differentiated with respect to everything."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from lib import F64, Values, encode, gradient_for, write
from optim.dense import title
from optim.trajectory import camel

INPUTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("SGD", {"lr": 0.9}, []),
    ("SGD", {"lr": 0.9, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.1}, ["momentum_buffer"]),
    ("SGD", {"lr": 0.9, "momentum": 0.9, "nesterov": True, "maximize": True}, ["momentum_buffer"]),
    ("Adam", {"lr": 0.9}, ["exp_avg", "exp_avg_sq"]),
    ("Adam", {"lr": 0.9, "amsgrad": True, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ("AdamW", {"lr": 0.9, "amsgrad": True, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq", "max_exp_avg_sq"]),
    ("Adamax", {"lr": 0.9, "weight_decay": 0.1}, ["exp_avg", "exp_inf"]),
    ("Adadelta", {"lr": 0.9, "weight_decay": 0.1}, ["square_avg", "acc_delta"]),
    ("Adagrad", {"lr": 0.9, "lr_decay": 0.1}, ["sum"]),
    ("ASGD", {"lr": 0.9, "weight_decay": 0.1}, ["ax"]),
    ("NAdam", {"lr": 0.9, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq"]),
    ("NAdam", {"lr": 0.9, "weight_decay": 0.1, "decoupled_weight_decay": True}, ["exp_avg", "exp_avg_sq"]),
    ("RAdam", {"lr": 0.9, "weight_decay": 0.1}, ["exp_avg", "exp_avg_sq"]),
    ("RAdam", {"lr": 0.9, "weight_decay": 0.1, "decoupled_weight_decay": True}, ["exp_avg", "exp_avg_sq"]),
    (
        "RMSprop",
        {"lr": 0.9, "maximize": True, "momentum": 0.9, "centered": True, "weight_decay": 0.1},
        ["square_avg", "momentum_buffer", "grad_avg"],
    ),
    ("Rprop", {"lr": 0.9}, ["prev", "step_size"]),
]
# SGD with momentum and amsgrad are missing: PyTorch changes their buffers in place and cannot differentiate two steps.
HYPER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("SGD", {}, {"lr": 0.4}),
    ("SGD", {"lr": 0.4}, {"weight_decay": 0.1}),
    ("SGD", {}, {"lr": 0.4, "weight_decay": 0.1}),
    ("Adam", {}, {"lr": 0.4}),
    ("Adam", {"lr": 0.4}, {"weight_decay": 0.1}),
    ("Adam", {"lr": 0.4}, {"betas": (0.9, 0.99)}),
    ("Adam", {}, {"lr": 0.4, "weight_decay": 0.1, "betas": (0.9, 0.99)}),
    ("AdamW", {}, {"lr": 0.4, "weight_decay": 0.1, "betas": (0.9, 0.99)}),
    ("AdamW", {}, {"lr": 0.4}),
]


def extra_state(optimizer: str) -> dict[str, Tensor]:
    """What a step needs besides the differentiable buffers."""
    if optimizer == "SGD":
        return {}
    state = {"step": torch.tensor(10.0, dtype=F64)}
    if optimizer == "ASGD":
        state |= {"eta": torch.tensor(0.9, dtype=F64), "mu": torch.tensor(1.0, dtype=F64)}
    if optimizer == "NAdam":
        state["mu_product"] = torch.tensor(1.0, dtype=F64)
    return state


def one_step(optimizer: str, options: dict[str, Any], buffers: list[str]) -> dict[str, Any]:
    v = Values(f"meta/{optimizer}/{title(options)}")
    p = v.real(10).requires_grad_()
    g = v.real(10).requires_grad_()
    # The centred second moment must stay above the square of the first.
    state = {
        n: v.real(10, lo=0.5, hi=0.9).requires_grad_()
        if n != "grad_avg"
        else v.real(10, lo=0.1, hi=0.2).requires_grad_()
        for n in buffers
    }
    stepped = p.clone()
    stepped.grad = g
    live = getattr(torch.optim, optimizer)([stepped], differentiable=True, **options)
    live.state[stepped].clear()
    live.state[stepped].update({**extra_state(optimizer), **{n: s.clone() for n, s in state.items()}})
    live.step()
    after = {n: t for n, t in live.state[stepped].items() if n in buffers}
    weights = gradient_for(stepped)
    # The state counts too, with the weights reversed, so that its own derivatives are seen.
    loss = (weights * stepped).sum() + sum((weights.flip(0) * t).sum() for t in after.values() if isinstance(t, Tensor))
    wanted = [p, g, *state.values()]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    case = {
        "optimizer": optimizer,
        "kind": "step",
        "name": title(options),
        "options": camel(options),
        "param": p.detach(),
        "grad": g.detach(),
    }
    case |= {
        "state": {**extra_state(optimizer), **{n: s.detach() for n, s in state.items()}},
        "weights": weights,
        "loss": loss.item(),
    }
    case |= {"after": stepped.detach(), "stateAfter": {n: t.detach() for n, t in after.items()}}
    case |= {"gradParam": found[0], "gradGrad": found[1], "gradState": dict(zip(buffers, found[2:], strict=True))}
    return encode(case)


def two_steps(optimizer: str, options: dict[str, Any], hyper: dict[str, Any]) -> dict[str, Any]:
    """Two steps down sum(c·p²)/2, each gradient a function of the parameter; the loss is the weighted sum of the result."""
    v = Values(f"meta/hyper/{optimizer}/{title(hyper)}")
    p = v.real(10).requires_grad_()
    c = v.real(10, lo=0.5, hi=2)
    tensors: dict[str, Any] = {}
    for name, value in hyper.items():
        make = lambda x: torch.tensor(x, dtype=F64, requires_grad=True)
        tensors[name] = tuple(make(x) for x in value) if isinstance(value, tuple) else make(value)
    stepped = p.clone()
    live = getattr(torch.optim, optimizer)([stepped], differentiable=True, **options, **tensors)
    for _ in range(2):
        stepped.grad = c * stepped
        live.step()
    weights = gradient_for(stepped)
    loss = (weights * stepped).sum()
    flat = [t for value in tensors.values() for t in (value if isinstance(value, tuple) else (value,))]
    found = torch.autograd.grad(loss, [p, *flat])
    rest = iter(f.item() for f in found[1:])
    gradients = {n: [next(rest) for _ in x] if isinstance(x, tuple) else next(rest) for n, x in tensors.items()}
    case = {
        "optimizer": optimizer,
        "kind": "hyperparameters",
        "name": title({**options, **hyper}),
        "options": camel(options),
        "hyper": camel(hyper),
    }
    case |= {"param": p.detach(), "curvature": c, "weights": weights, "after": stepped.detach(), "loss": loss.item()}
    return encode(case | {"gradParam": found[0], "gradHyper": camel(gradients)})


def record() -> None:
    write("optim-meta", [one_step(*i) for i in INPUTS] + [two_steps(*h) for h in HYPER])
