"""Every option of every optimizer: PyTorch's own test inputs, and the rest of each constructor."""

from __future__ import annotations

from typing import Any

W = {"weight_decay": 0.1}
MAX = {"maximize": True}

INPUTS: dict[str, list[dict[str, Any]]] = {
    "SGD": [
        {}, {"lr": 1e-2}, {"lr": 1e-2, "weight_decay": 0.5}, {"lr": 1e-2, "momentum": 0.9}, {"lr": 1e-2, **W, **MAX},
        {"lr": 1e-2, "momentum": 0.9, "dampening": 0.5}, {"lr": 1e-2, "momentum": 0.9, **W},
        {"lr": 1e-2, "momentum": 0.9, "nesterov": True, **W}, {"lr": 1e-2, "momentum": 0.9, "nesterov": True, **W, **MAX},
        {"lr": 1e-2, "momentum": 0.9, "dampening": 0.5, **W, **MAX}, {"lr": 0.0}, {"lr": 1e-2, "momentum": 0.9, "dampening": -0.5},
    ],
    "Adam": [
        {}, {"lr": 1e-2}, {**W}, {**W, **MAX}, {**W, "amsgrad": True}, {"amsgrad": True, "lr": 1e-2}, {"decoupled_weight_decay": True, **W},
        {"betas": (0.8, 0.95), "eps": 1e-3}, {"betas": (0.0, 0.9), "lr": 1e-2}, {"betas": (0.9, 0.0), "lr": 1e-2}, {"lr": 1e-2, "eps": 0.0},
        {"lr": 0.05, **W, **MAX, "amsgrad": True}, {"eps": 0.1, "lr": 0.1},
    ],
    "AdamW": [
        {}, {"lr": 1e-2}, {**W}, {**W, **MAX}, {**W, "amsgrad": True}, {"weight_decay": 0.0}, {"betas": (0.8, 0.95), "eps": 1e-3},
        {"lr": 0.05, **W, **MAX, "amsgrad": True}, {"betas": (0.0, 0.9), "lr": 1e-2},
    ],
    "Adamax": [{}, {"lr": 0.1}, {**W}, {**MAX}, {**W, **MAX}, {"betas": (0.8, 0.95), "eps": 1e-3}, {"eps": 0.5, "lr": 0.1}],
    "Adadelta": [{}, {"lr": 0.01}, {**W}, {**MAX}, {**W, **MAX}, {"rho": 0.95, "weight_decay": 0.9}, {"eps": 1e-3}, {"rho": 0.0}, {"rho": 1.0}],
    "Adagrad": [
        {}, {**W}, {**W, **MAX}, {"lr": 0.1}, {"initial_accumulator_value": 0.1, **W}, {"lr": 0.1, "lr_decay": 0.5, **W}, {"lr": 0.001},
        {"eps": 0.1, "lr": 0.1}, {"lr_decay": 0.01, "initial_accumulator_value": 1.5, **MAX},
    ],
    "ASGD": [
        {}, {"lambd": 0.1}, {"lr": 0.02}, {"t0": 100}, {**MAX}, {**W}, {**W, **MAX}, {"t0": 10}, {"t0": 0, "alpha": 0.5, "lambd": 0.05},
        {"alpha": 0.9, "t0": 30, **W},
    ],
    "NAdam": [
        {}, {"lr": 1e-3}, {"momentum_decay": 6e-3}, {**W}, {**W, "momentum_decay": 6e-3}, {**W, "momentum_decay": 6e-3, "decoupled_weight_decay": True},
        {**W, **MAX}, {"betas": (0.8, 0.95), "eps": 1e-3}, {"momentum_decay": 0.0},
    ],
    "RAdam": [
        {}, {"lr": 2e-3}, {"eps": 1e-6}, {**W}, {**W, "decoupled_weight_decay": True}, {**W, **MAX}, {"betas": (0.9, 0.6)}, {"betas": (0.8, 0.95), "lr": 0.01},
    ],
    "RMSprop": [
        {}, {"lr": 1e-3}, {**W}, {**MAX}, {**W, "centered": True}, {**W, **MAX}, {**W, "centered": True, "momentum": 0.1},
        {**W, "centered": True, "momentum": 0.1, **MAX}, {"momentum": 0.9}, {"alpha": 0.9, "eps": 1e-3}, {"centered": True}, {"alpha": 0.0},
    ],
    "Rprop": [{}, {"lr": 2e-4}, {"etas": (0.5, 1.5)}, {"step_sizes": (2e-6, 100.0)}, {**MAX}, {"lr": 0.1, "step_sizes": (0.05, 0.2)}],
    "Adafactor": [
        {}, {**W, "lr": 0.01}, {**W, **MAX}, {"beta2_decay": -1.0}, {"d": 1.5}, {"eps": (1e-4, 1e-2)}, {"lr": 0.5, "beta2_decay": -0.5}, {"lr": 0.1, "beta2_decay": 0.0},
    ],
    "Muon": [
        {}, {"lr": 0.01}, {"weight_decay": 0.2}, {"momentum": 0.8}, {"ns_steps": 6}, {"ns_coefficients": (3.4, -4.7, 2.0)}, {"nesterov": False},
        {"adjust_lr_fn": "original", "lr": 0.02}, {"adjust_lr_fn": "match_rms_adamw", "lr": 0.02}, {"eps": 1e-3}, {"momentum": 0.0},
    ],
}  # fmt: skip

# Two more sets per optimizer, for a second and a third group of the same run.
GROUPS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "SGD": ({"lr": 0.05, "momentum": 0.9}, {"momentum": 0.5, "nesterov": True, **MAX}),
    "Adam": ({"lr": 0.05, "betas": (0.8, 0.9)}, {"amsgrad": True, "eps": 1e-3, **W}),
    "AdamW": ({"lr": 0.05, "betas": (0.8, 0.9)}, {"amsgrad": True, "eps": 1e-3, "weight_decay": 0.0}),
    "Adamax": ({"lr": 0.05, "betas": (0.8, 0.9)}, {"eps": 1e-3, **W, **MAX}),
    "Adadelta": ({"lr": 0.5, "rho": 0.8}, {"eps": 1e-3, **W, **MAX}),
    "Adagrad": ({"lr": 0.5, "lr_decay": 0.1}, {"eps": 1e-3, **W, **MAX}),
    "ASGD": ({"lr": 0.05, "lambd": 0.01}, {"t0": 20, **W, **MAX}),
    "NAdam": ({"lr": 0.05, "betas": (0.8, 0.9)}, {"momentum_decay": 0.01, "decoupled_weight_decay": True, **W}),
    "RAdam": ({"lr": 0.05, "betas": (0.8, 0.9)}, {"eps": 1e-3, "decoupled_weight_decay": True, **W}),
    "RMSprop": ({"lr": 0.05, "alpha": 0.9}, {"momentum": 0.5, "centered": True, **W}),
    "Rprop": ({"lr": 0.05, "etas": (0.4, 1.3)}, {"step_sizes": (1e-3, 0.1), **MAX}),
    "Adafactor": ({"lr": 0.05, "d": 2.0}, {"beta2_decay": -0.6, **W, **MAX}),
    "Muon": ({"lr": 0.05, "momentum": 0.8}, {"nesterov": False, "adjust_lr_fn": "match_rms_adamw"}),
}

# The run that is saved halfway: everything that has state.
RESUME: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 1e-2, "momentum": 0.9, "dampening": 0.1, **W},
    "Adam": {"lr": 1e-2, "amsgrad": True, **W},
    "AdamW": {"lr": 1e-2, "amsgrad": True, **W},
    "Adamax": {**W},
    "Adadelta": {**W},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1},
    "ASGD": {"t0": 20, "lambd": 0.01, **W},
    "NAdam": {**W},
    "RAdam": {"lr": 0.01, **W},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Rprop": {},
    "Adafactor": {**W},
    "Muon": {"lr": 0.02},
}
