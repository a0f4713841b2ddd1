"""Schedulers and optimizers from plain descriptions, and their states as plain data."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from typing import Any

import torch
from torch.optim import SGD, Adam, Optimizer, lr_scheduler
from torch.optim.swa_utils import SWALR

# The functions that a description names with {"fn": name}; the tests hold the same ones.
FUNCTIONS: dict[str, Any] = {
    "0.95**e": lambda e: 0.95**e,
    "1/(1+e/10)": lambda e: 1 / (1 + e / 10),
    "0.98": lambda e: 0.98,
    "1-0.1/(e+1)": lambda e: 1 - 0.1 / (e + 1),
    "1/x": lambda x: 1 / x,
    "0.99**x": lambda x: 0.99**x,
}


def optimizer(description: dict[str, Any]) -> Optimizer:
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": lr} for lr in description["lrs"]]
    kind = description.get("optimizer", "sgd")
    return Adam(groups) if kind == "adam" else SGD(groups, momentum=0.9)


def _value(value: Any) -> Any:
    return FUNCTIONS[value["fn"]] if isinstance(value, dict) else value


def scheduler(opt: Optimizer, description: dict[str, Any]) -> Any:
    name = description["class"]
    options = {
        key: [_value(v) for v in value] if isinstance(value, list) else _value(value)
        for key, value in description.get("options", {}).items()
    }
    children = [scheduler(opt, child) for child in description.get("schedulers", [])]
    if name == "SequentialLR":
        return lr_scheduler.SequentialLR(opt, children, **options)
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler(children, **options)
    if name == "SWALR":
        return SWALR(opt, **options)
    return getattr(lr_scheduler, name)(opt, **options)


def step(sched: Any, argument: float | None) -> None:
    if argument is None:
        sched.step()
    else:
        sched.step(argument)


def plain(value: Any) -> Any:
    """As JSON has it: no infinities, no integer keys, no tuples."""
    if isinstance(value, (Counter, dict)):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def live(state: Any) -> Any:
    """The inverse of `plain` for the state of a scheduler."""
    if isinstance(state, list):
        return [live(v) for v in state]
    if isinstance(state, dict):
        out = {k: live(v) for k, v in state.items()}
        if "milestones" in out:
            out["milestones"] = Counter({int(k): v for k, v in out["milestones"].items()})
        return out
    return float(state) if state in ("inf", "-inf") else state


def groups(opt: Optimizer) -> list[dict[str, Any]]:
    """What a scheduler may have written to the groups."""
    keys = ("lr", "initial_lr", "momentum", "betas", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr")
    return [{k: plain(g[k]) for k in keys if k in g} for g in opt.param_groups]


def _texts(value: Any) -> list[str]:
    """Every entry of a state; numbers to ten digits, so that engines may round differently."""
    if isinstance(value, dict):
        return [text for key in sorted(value) for text in (key, *_texts(value[key]))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [f"{value:.9e}"]
    return [str(value)]


def digest(state: Any) -> str:
    """Tells whether a state is still the one that was checked."""
    return hashlib.sha256("|".join(_texts(state)).encode()).hexdigest()[:16]
