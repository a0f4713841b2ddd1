"""Optimizers that take dense gradients and no closure."""

from __future__ import annotations

from typing import Any

import torch

from lib import F32, F64, write
from optim.options import GROUPS, INPUTS, RESUME
from optim.trajectory import STEPS, Scenario, camel, default_params, matrix_params, nonempty_params, run

PARAMS = {"Muon": matrix_params, "Adafactor": nonempty_params}


def title(options: dict[str, Any]) -> str:
    return " ".join(f"{k}={list(v) if isinstance(v, tuple) else v}" for k, v in camel(options).items()) or "defaults"


def scenarios(optimizer: str) -> list[Scenario]:
    make = PARAMS.get(optimizer, default_params)
    last = len(make(F64)) - 1
    found = [Scenario(optimizer, title(o), o, make_params=make) for o in INPUTS[optimizer]]
    second, third = GROUPS[optimizer]
    members = [[i for i in range(last + 1) if i % 3 == g] for g in range(3)]
    found.append(
        Scenario(
            optimizer,
            "groups with their own options",
            groups=[(members[0], {}), (members[1], second), (members[2], third)],
            edits=[(21, 1, {"lr": 0.02}), (61, 2, {"lr": 0.003})],
            make_params=make,
        )
    )
    options = RESUME[optimizer]
    # Late, interrupted and absent gradients, and one step at which nothing has a gradient.
    missing = [(3, 1, 10), (2, 20, 29), (last, 1, STEPS)] + [(i, 40, 40) for i in range(last + 1)]
    found.append(Scenario(optimizer, "missing gradients", options, missing=missing, make_params=make))
    zero = [(3, 1, 5), (0, 8, 9)] + [(i, 40, 49) for i in range(last + 1)]
    found.append(Scenario(optimizer, "zero gradients", options, zero=zero, make_params=make))
    edits: list[tuple[int, int, dict[str, Any]]] = [(31, 0, {"lr": 0.004}), (61, 0, {"lr": 0.03})]
    if optimizer != "Rprop":
        edits.append((61, 0, {"weight_decay": 0.05}))
    found.append(Scenario(optimizer, "edited options", options, edits=edits, make_params=make))
    found.append(Scenario(optimizer, "saved halfway", options, save=50, make_params=make))
    return found


def record() -> None:
    for optimizer in INPUTS:
        cases = [run(s, dtype) for s in scenarios(optimizer) for dtype in (F64, F32)]
        write(f"optim-{optimizer.lower()}", cases)
    # These two keep numbers of theirs (eta and mu; mu_product) in float32 whatever the parameters are, which shows in
    # float64 runs from the eighth digit on. With a default dtype of float64 PyTorch keeps them in doubles.
    torch.set_default_dtype(F64)
    for optimizer in ("ASGD", "NAdam"):
        write(f"optim-{optimizer.lower()}-double", [run(s, F64) for s in scenarios(optimizer)])
    torch.set_default_dtype(F32)
