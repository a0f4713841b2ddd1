"""Defaults, printed form, and what the constructors refuse."""

from __future__ import annotations

from typing import Any

import torch

from lib import encode, write
from optim.trajectory import camel

NAN = float("nan")
ALL = [
    "SGD", "Adam", "AdamW", "SparseAdam", "Adamax", "Adadelta", "Adagrad", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop", "Adafactor", "Muon", "LBFGS",
]  # fmt: skip
BAD: list[tuple[str, dict[str, Any]]] = [
    *[(name, {"lr": -0.1}) for name in ALL],
    *[(name, {"lr": NAN}) for name in ALL],
    *[(name, {"weight_decay": -1}) for name in ALL if name not in ("SparseAdam", "Rprop", "LBFGS")],
    *[(name, {"eps": -1}) for name in ("Adam", "AdamW", "SparseAdam", "Adamax", "Adadelta", "Adagrad", "NAdam", "RAdam", "RMSprop")],
    *[(name, {"betas": b}) for name in ("Adam", "AdamW", "SparseAdam", "Adamax", "NAdam", "RAdam") for b in ((1.0, 0.9), (0.9, 1.0), (-0.1, 0.9))],
    ("Adam", {"betas": (0, 0.9)}),
    ("SGD", {"momentum": -0.5}), ("SGD", {"nesterov": True}), ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}), ("SGD", {"dampening": -5}),
    ("SparseAdam", {"lr": 0}), ("SparseAdam", {"eps": 0}), ("Adadelta", {"rho": 1.1}), ("Adagrad", {"lr_decay": -0.5}), ("Adagrad", {"initial_accumulator_value": -1}),
    ("NAdam", {"momentum_decay": -0.2}), ("RMSprop", {"momentum": -1}), ("RMSprop", {"alpha": -1}), ("RMSprop", {"alpha": 2}), ("Rprop", {"etas": (1.0, 0.5)}),
    ("Rprop", {"etas": (0.0, 1.2)}), ("Rprop", {"etas": (0.5, 1.0)}), ("Adafactor", {"eps": (-1e-30, 1e-3)}), ("Adafactor", {"eps": (None, -1e-3)}), ("Adafactor", {"d": 0.0}),
    ("Adafactor", {"beta2_decay": 0.8}), ("Muon", {"momentum": -0.1}), ("Muon", {"adjust_lr_fn": "arbitrary"}), ("ASGD", {"lambd": -1}), ("Muon", {"ns_steps": 100}),
    ("Muon", {"ns_coefficients": (1.0, 2.0)}), ("LBFGS", {"line_search_fn": "armijo"}),
]  # fmt: skip


def constructor_cases() -> list[dict[str, Any]]:
    cases = []
    for name, options in BAD:
        case: dict[str, Any] = {"optimizer": name, "options": camel(options)}
        p = torch.ones(2, 2, requires_grad=True)
        try:
            live = getattr(torch.optim, name)([p], **options)
        except (ValueError, TypeError, RuntimeError) as error:
            cases.append({**case, "error": True, "at": "constructor", "reason": str(error)})
            continue
        p.grad = torch.ones(2, 2)
        try:
            live.step(lambda: 1.0)
            cases.append({**case, "error": False})
        except (ValueError, TypeError, RuntimeError) as error:
            cases.append({**case, "error": True, "at": "step", "reason": str(error)})
    return cases


def default_cases() -> list[dict[str, Any]]:
    cases = []
    for name in ALL:
        live = getattr(torch.optim, name)([torch.ones(2, 2, requires_grad=True)])
        cases.append(
            {
                "optimizer": name,
                "defaults": camel(live.defaults),
                "paramGroups": live.state_dict()["param_groups"],
                "text": repr(live),
            }
        )
    p, q = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    live = torch.optim.Adam([{"params": [("weight", p)]}, {"params": [("bias", q)], "lr": 0.5}])
    cases.append(
        {
            "optimizer": "Adam",
            "name": "named, two groups",
            "paramGroups": live.state_dict()["param_groups"],
            "text": repr(live),
        }
    )
    return cases


def record() -> None:
    write("optim-defaults", [encode(c) for c in default_cases()])
    write("optim-errors", [encode(c) for c in constructor_cases()])
