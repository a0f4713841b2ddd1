"""GradScaler: what it scales by, what it skips and what it saves, step by step."""

from __future__ import annotations

import math
from typing import Any

import torch

from lib import F32, encode, write

# Gradients of one element, unscaled; what is not finite makes the step be skipped.
OK = 0.5
INF = math.inf
NAN = math.nan

CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]]]] = [
    (
        "grows and backs off",
        {"init_scale": 8.0, "growth_interval": 2},
        [{"grads": [g]} for g in (OK, OK, INF, OK, OK, NAN)],
    ),
    (
        "other factors",
        {"init_scale": 3.0, "growth_factor": 1.5, "backoff_factor": 0.25, "growth_interval": 3},
        [{"grads": [g]} for g in (OK, OK, OK, -INF, OK, OK, OK, OK, OK, OK)],
    ),
    ("unscaled by hand", {"init_scale": 16.0}, [{"grads": [g], "unscale": True} for g in (OK, INF, OK)]),
    (
        "two optimizers: one verdict each, one scale",
        {"init_scale": 4.0, "growth_interval": 2},
        [{"grads": g} for g in ([OK, OK], [INF, OK], [OK, OK], [OK, NAN], [OK, OK], [OK, OK])],
    ),
    ("a scale set by hand", {"init_scale": 4.0}, [{"grads": [OK], "newScale": 32.0}, {"grads": [INF]}, {"grads": [OK]}]),
    (
        "does not grow to infinity",
        {"init_scale": 2.0**126, "growth_interval": 1},
        [{"grads": [0.0]}, {"grads": [0.0]}, {"grads": [0.0]}],
    ),
    ("not enabled", {"enabled": False}, [{"grads": [OK]}, {"grads": [2.0]}]),
]


def run(name: str, options: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    scaler = torch.amp.GradScaler("cpu", **options)
    count = len(steps[0]["grads"])
    params = [torch.ones(2, dtype=F32) for _ in range(count)]
    optimizers = [torch.optim.SGD([p], lr=0.25) for p in params]
    after = []
    for step in steps:
        scaled = scaler.scale(torch.ones((), dtype=F32)).item()
        for p, g in zip(params, step["grads"], strict=True):
            p.grad = torch.tensor([g * scaled, 0.0], dtype=F32)
        if step.get("unscale"):
            for optimizer in optimizers:
                scaler.unscale_(optimizer)
        for optimizer in optimizers:
            scaler.step(optimizer)
        scaler.update(step.get("newScale"))
        after.append(
            {"scaled": scaled, "params": [p.clone() for p in params], "state": scaler.state_dict()},
        )
    names = {"init_scale": "initScale", "growth_factor": "growthFactor", "backoff_factor": "backoffFactor"}
    names |= {"growth_interval": "growthInterval"}
    given = {names.get(key, key): value for key, value in options.items()}
    return encode({"name": name, "options": given, "steps": steps, "after": after})


def record() -> None:
    write("optim-scaler", [run(*case) for case in CASES])
