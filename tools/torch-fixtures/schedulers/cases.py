"""The schedules that are recorded: each scheduler, each option, pairs, composites, edits, late groups."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

LRS = [0.05, 0.5]
STEPS = 200

Case = dict[str, Any]


def make(name: str, **options: Any) -> Case:
    return {"class": name, "options": options}


def sequential(milestones: list[int], *children: Case) -> Case:
    return {"class": "SequentialLR", "options": {"milestones": milestones}, "schedulers": list(children)}


def chained(*children: Case) -> Case:
    return {"class": "ChainedScheduler", "schedulers": list(children)}


def fn(name: str) -> dict[str, str]:
    return {"fn": name}


SINGLE = {
    "lambda": make("LambdaLR", lr_lambda=fn("0.95**e")),
    "lambda list": make("LambdaLR", lr_lambda=[fn("0.95**e"), fn("1/(1+e/10)")]),
    "multiplicative": make("MultiplicativeLR", lr_lambda=fn("0.98")),
    "multiplicative list": make("MultiplicativeLR", lr_lambda=[fn("0.98"), fn("1-0.1/(e+1)")]),
    "step 3": make("StepLR", step_size=3),
    "step 30": make("StepLR", step_size=30, gamma=0.5),
    "step 1": make("StepLR", step_size=1, gamma=0.99),
    "multi-step": make("MultiStepLR", milestones=[2, 5, 5, 9]),
    "multi-step late": make("MultiStepLR", milestones=[150, 30, 80], gamma=0.3),
    "multi-step at once": make("MultiStepLR", milestones=[0, 4], gamma=0.5),
    "constant": make("ConstantLR"),
    "constant 50": make("ConstantLR", factor=0.1, total_iters=50),
    "constant 1": make("ConstantLR", factor=1.0, total_iters=3),
    "linear": make("LinearLR"),
    "linear down": make("LinearLR", start_factor=1.0, end_factor=0.0, total_iters=4),
    "linear 100": make("LinearLR", start_factor=0.1, total_iters=100),
    "linear 33": make("LinearLR", start_factor=1 / 7, end_factor=0.9, total_iters=33),
    "exponential": make("ExponentialLR", gamma=0.9),
    "exponential slow": make("ExponentialLR", gamma=0.999),
    "exponential 1": make("ExponentialLR", gamma=1.0),
    "polynomial": make("PolynomialLR"),
    "polynomial 4": make("PolynomialLR", total_iters=4, power=2.0),
    "polynomial 150": make("PolynomialLR", total_iters=150, power=0.5),
    "polynomial 100": make("PolynomialLR", total_iters=100, power=0.9),
    "cosine 5": make("CosineAnnealingLR", T_max=5),
    "cosine 5 eta": make("CosineAnnealingLR", T_max=5, eta_min=0.01),
    "cosine 5 above": make("CosineAnnealingLR", T_max=5, eta_min=0.1),
    "cosine 7": make("CosineAnnealingLR", T_max=7, eta_min=0.001),
    "cosine 50": make("CosineAnnealingLR", T_max=50),
    "cosine 200": make("CosineAnnealingLR", T_max=200),
    "cosine 500": make("CosineAnnealingLR", T_max=500, eta_min=1e-5),
    "restarts 10": make("CosineAnnealingWarmRestarts", T_0=10),
    "restarts 4 2": make("CosineAnnealingWarmRestarts", T_0=4, T_mult=2),
    "restarts 3 3": make("CosineAnnealingWarmRestarts", T_0=3, T_mult=3, eta_min=0.001),
    "restarts 1": make("CosineAnnealingWarmRestarts", T_0=1),
    "cyclic": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=4),
    "cyclic 2": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=2, mode="triangular2"),
    "cyclic exp": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=2, mode="exp_range", gamma=0.9),
    "cyclic skewed": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=3, step_size_down=11),
    "cyclic lists": make(
        "CyclicLR",
        base_lr=[0.01, 0.02],
        max_lr=[0.1, 0.3],
        step_size_up=20,
        base_momentum=[0.7, 0.8],
        max_momentum=[0.9, 0.95],
    ),
    "cyclic plain": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=7, cycle_momentum=False),
    "cyclic fn": make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=5, scale_fn=fn("1/x")),
    "cyclic fn iterations": make(
        "CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=5, scale_fn=fn("0.99**x"), scale_mode="iterations"
    ),
    "one cycle": make("OneCycleLR", max_lr=0.1, total_steps=200),
    "one cycle linear": make("OneCycleLR", max_lr=0.1, total_steps=200, anneal_strategy="linear"),
    "one cycle three": make("OneCycleLR", max_lr=0.1, total_steps=200, pct_start=0.4, three_phase=True),
    "one cycle three linear": make(
        "OneCycleLR", max_lr=0.1, total_steps=200, pct_start=0.25, three_phase=True, anneal_strategy="linear"
    ),
    "one cycle lists": make(
        "OneCycleLR",
        max_lr=[0.1, 0.2],
        epochs=10,
        steps_per_epoch=20,
        pct_start=0.5,
        base_momentum=[0.8, 0.85],
        max_momentum=[0.9, 0.95],
        div_factor=10.0,
        final_div_factor=100.0,
    ),
    "one cycle plain": make("OneCycleLR", max_lr=0.1, total_steps=200, cycle_momentum=False),
    "one cycle down": make("OneCycleLR", max_lr=0.1, total_steps=200, pct_start=0.0),
    "swa": make("SWALR", swa_lr=0.01, anneal_epochs=5),
    "swa linear": make("SWALR", swa_lr=[0.01, 0.02], anneal_epochs=40, anneal_strategy="linear"),
    "swa at once": make("SWALR", swa_lr=0.01, anneal_epochs=0),
    "swa 10": make("SWALR", swa_lr=0.3),
}

COMPOSITE = {
    "sequential exp step": sequential([3], make("ExponentialLR", gamma=0.8), make("StepLR", step_size=4)),
    "sequential const exp": sequential(
        [3], make("ConstantLR", factor=0.1, total_iters=3), make("ExponentialLR", gamma=0.9)
    ),
    "sequential warm cosine": sequential(
        [20], make("LinearLR", start_factor=0.1, total_iters=20), make("CosineAnnealingLR", T_max=180)
    ),
    "sequential three": sequential(
        [3, 6],
        make("ConstantLR", factor=0.1, total_iters=3),
        make("ExponentialLR", gamma=0.8),
        make("StepLR", step_size=2),
    ),
    "sequential at 0": sequential([0], make("ConstantLR", factor=0.1, total_iters=3), make("ExponentialLR", gamma=0.9)),
    "sequential const const": sequential([10], make("ConstantLR", factor=1.0), make("ConstantLR", factor=0.1)),
    "sequential chain first": sequential(
        [5],
        chained(make("LinearLR", start_factor=0.1, total_iters=5), make("ConstantLR", factor=0.1, total_iters=5)),
        make("ConstantLR", factor=0.5, total_iters=5),
    ),
    "sequential up down": sequential(
        [40],
        make("LinearLR", start_factor=0.1, end_factor=0.8, total_iters=40),
        make("LinearLR", start_factor=0.8, end_factor=0.1, total_iters=40),
    ),
    "sequential lambda": sequential(
        [10], make("LinearLR", start_factor=0.1, total_iters=10), make("LambdaLR", lr_lambda=fn("0.95**e"))
    ),
    "sequential restarts": sequential(
        [10],
        make("LinearLR", start_factor=0.1, total_iters=10),
        make("CosineAnnealingWarmRestarts", T_0=10, T_mult=2),
    ),
    "sequential poly": sequential(
        [5, 100],
        make("LinearLR", start_factor=0.01, total_iters=5),
        make("PolynomialLR", total_iters=90),
        make("MultiStepLR", milestones=[20, 40]),
    ),
    "sequential swa": sequential(
        [50], make("CosineAnnealingLR", T_max=80), make("SWALR", swa_lr=0.02, anneal_epochs=10)
    ),
    "chained one": chained(make("StepLR", step_size=3)),
    "chained const exp": chained(make("ConstantLR", factor=0.1, total_iters=4), make("ExponentialLR", gamma=0.9)),
    "chained linear multi": chained(
        make("LinearLR", start_factor=0.4, total_iters=3), make("MultiStepLR", milestones=[4, 8, 10])
    ),
    "chained three": chained(
        make("ExponentialLR", gamma=0.9),
        make("ConstantLR", factor=0.2, total_iters=4),
        make("StepLR", step_size=3),
    ),
    "chained poly const": chained(make("PolynomialLR", total_iters=5, power=0.9), make("ConstantLR", factor=0.1)),
    "chained cosine linear": chained(
        make("CosineAnnealingLR", T_max=60, eta_min=1e-4), make("LinearLR", start_factor=0.1, total_iters=30)
    ),
    "chained sequential": chained(
        sequential([4], make("LinearLR", start_factor=0.1, total_iters=4), make("StepLR", step_size=25)),
        make("ExponentialLR", gamma=0.99),
    ),
    "chained lambda exp": chained(make("LambdaLR", lr_lambda=fn("1/(1+e/10)")), make("ExponentialLR", gamma=0.9)),
    "chained multiplicative cosine": chained(
        make("MultiplicativeLR", lr_lambda=fn("1-0.1/(e+1)")), make("CosineAnnealingLR", T_max=40, eta_min=0.001)
    ),
}

# The pairs of PyTorch's compound tests: two schedulers on one optimizer, stepped in this order.
ETA = 1e-10
PAIRS = {
    "step × multi-step": [make("StepLR", step_size=3), make("MultiStepLR", milestones=[2, 5, 9])],
    "step × exponential": [make("StepLR", step_size=3), make("ExponentialLR", gamma=0.9)],
    "multi-step × exponential": [make("MultiStepLR", milestones=[2, 5, 9]), make("ExponentialLR", gamma=0.9)],
    "linear × exponential": [
        make("LinearLR", start_factor=0.4, end_factor=0.9, total_iters=4),
        make("ExponentialLR", gamma=0.9),
    ],
    "step × constant": [make("StepLR", step_size=3), make("ConstantLR", factor=0.4, total_iters=4)],
    "multi-step × linear": [
        make("MultiStepLR", milestones=[2, 5, 9]),
        make("LinearLR", start_factor=0.4, total_iters=4),
    ],
    "cosine × step": [make("CosineAnnealingLR", T_max=10, eta_min=ETA), make("StepLR", step_size=3)],
    "cosine × multi-step": [
        make("CosineAnnealingLR", T_max=10, eta_min=ETA),
        make("MultiStepLR", milestones=[2, 5, 9]),
    ],
    "linear × cosine": [
        make("LinearLR", start_factor=0.4, total_iters=4),
        make("CosineAnnealingLR", T_max=10, eta_min=ETA),
    ],
    "cosine × exponential": [make("CosineAnnealingLR", T_max=10, eta_min=ETA), make("ExponentialLR", gamma=0.9)],
    "exponential × swa": [make("ExponentialLR", gamma=0.99), make("SWALR", swa_lr=0.01, anneal_epochs=50)],
}


def metrics(f: Callable[[int], float]) -> list[float]:
    return [float(f"{f(i):.6g}") for i in range(STEPS)]


IMPROVING = metrics(lambda i: 10 - i * 0.0167)
SLOW = metrics(lambda i: 10 - i * 0.0165)
NEGATIVE = [-0.8] * 2 + [-0.234] * (STEPS - 2)
GROWING = metrics(lambda i: 1.5 * 1.025**i)
CREEPING = metrics(lambda i: 1.5 * 1.005**i)
SHRINKING = metrics(lambda i: 1.5 * 0.85**i)
STALLED = [1.0] * 7 + [0.6] + [0.5] * (STEPS - 8)
WAVY = metrics(lambda i: 2 + math.sin(i / 3) + 5 / (i + 1))
BROKEN = [math.nan if i % 7 == 3 else math.inf if i % 11 == 5 else round(3 / (i + 1), 5) for i in range(STEPS)]


def plateau(watched: list[float], *others: Case, lrs: list[float] | None = None, **options: Any) -> Case:
    return {
        "schedulers": [make("ReduceLROnPlateau", **options), *others],
        "metrics": watched,
        **({"lrs": lrs} if lrs else {}),
    }


HALF = [0.5, 0.5]
FIRST = {"threshold_mode": "abs", "threshold": 0.01, "patience": 5, "cooldown": 5}
SECOND = {"threshold_mode": "abs", "threshold": 0.1, "patience": 5}
THIRD = {"mode": "max", "patience": 5, "cooldown": 5, "threshold_mode": "abs"}
FOURTH = {"mode": "max", "patience": 3, "threshold": 0.1}
FIFTH = {"mode": "max", "threshold": 0.1, "patience": 5, "cooldown": 5}
PLATEAU = {
    "plateau 1": plateau(IMPROVING, lrs=HALF, **FIRST),
    "plateau 2": plateau(SLOW, lrs=HALF, **SECOND),
    "plateau 3": plateau(NEGATIVE, lrs=HALF, **THIRD),
    "plateau 4": plateau(GROWING, lrs=HALF, **FOURTH),
    "plateau 5": plateau(CREEPING, lrs=HALF, **FIFTH),
    "plateau 6": plateau(SHRINKING, lrs=HALF, threshold=0.1),
    "plateau 7": plateau(STALLED, lrs=HALF, threshold=0.1, patience=5, cooldown=5),
    "plateau 8": plateau(CREEPING, lrs=HALF, min_lr=[0.4, 0.3], **FIFTH),
    "plateau": plateau(WAVY),
    "plateau half": plateau(WAVY, factor=0.5, patience=2, cooldown=3, min_lr=1e-4, eps=1e-3),
    "plateau now": plateau(WAVY, mode="max", factor=0.9, patience=0, threshold=0.5),
    "plateau broken": plateau(BROKEN, patience=4, factor=0.7),
    "plateau × step": plateau(IMPROVING, make("StepLR", step_size=3), lrs=HALF, **FIRST),
    "plateau × multi-step": plateau(SLOW, make("MultiStepLR", milestones=[3, 8, 12]), lrs=HALF, **SECOND),
    "plateau × exponential": plateau(NEGATIVE, make("ExponentialLR", gamma=0.1), lrs=HALF, **THIRD),
    "plateau × cosine": plateau(GROWING, make("CosineAnnealingLR", T_max=10, eta_min=ETA), lrs=HALF, **FOURTH),
    "plateau × linear": plateau(SLOW, make("LinearLR", start_factor=0.4, total_iters=4), lrs=HALF, **SECOND),
}

TENTHS = [round(i / 10, 1) for i in range(STEPS)]
BACK_AND_FORTH = [x for i in range(STEPS // 4) for x in (i * 1.5, None, None, 3 + i / 2)]
REPEATED = [i // 2 for i in range(STEPS)]

CALLS = {
    "restarts by tenths": (make("CosineAnnealingWarmRestarts", T_0=10), TENTHS),
    "restarts by tenths 2": (make("CosineAnnealingWarmRestarts", T_0=3, T_mult=2, eta_min=1e-10), TENTHS),
    "restarts by tenths 4": (make("CosineAnnealingWarmRestarts", T_0=2, T_mult=4), TENTHS),
    "restarts interleaved": (make("CosineAnnealingWarmRestarts", T_0=10, T_mult=2), BACK_AND_FORTH),
    "step by epoch": (make("StepLR", step_size=3), REPEATED),
    "multi-step by epoch": (make("MultiStepLR", milestones=[2, 5, 9]), REPEATED),
    "constant by epoch": (make("ConstantLR", factor=0.5), REPEATED),
    "linear by epoch": (make("LinearLR", start_factor=0.5, end_factor=0.7, total_iters=4), REPEATED),
    "exponential by epoch": (make("ExponentialLR", gamma=0.9), REPEATED),
    "polynomial by epoch": (make("PolynomialLR", power=0.9), REPEATED),
    "cosine by epoch": (make("CosineAnnealingLR", T_max=5, eta_min=1e-10), REPEATED),
    "lambda by epoch": (make("LambdaLR", lr_lambda=fn("0.95**e")), REPEATED),
    "multiplicative by epoch": (make("MultiplicativeLR", lr_lambda=fn("1-0.1/(e+1)")), REPEATED),
    "cyclic by epoch": (make("CyclicLR", base_lr=0.01, max_lr=0.1, step_size_up=4), REPEATED),
    "one cycle by epoch": (make("OneCycleLR", max_lr=0.1, total_steps=150), REPEATED),
}

# Lrs that somebody else writes between steps, and groups that are added.
EDITED = [
    "multiplicative", "step 30", "multi-step late", "constant 50", "linear 100", "exponential slow", "polynomial 150",
    "cosine 50", "cosine 5 eta", "cosine 500", "lambda", "restarts 4 2", "cyclic", "one cycle", "swa linear",
]  # fmt: skip
# PyTorch cannot add a group to the others.
GROWN = [
    "step 30", "multi-step late", "constant 50", "linear 100", "exponential slow", "polynomial 150",
]  # fmt: skip
ADAM = ["cyclic", "cyclic 2", "one cycle", "one cycle three"]


def all_cases() -> list[Case]:
    cases: list[Case] = []

    def add(name: str, schedulers: list[Case], **rest: Any) -> None:
        cases.append({"name": name, "lrs": LRS, "schedulers": schedulers, **rest})

    for name, one in {**SINGLE, **COMPOSITE}.items():
        add(name, [one])
    for name, pair in PAIRS.items():
        add(name, pair)
    for name, case in PLATEAU.items():
        add(name, **case)
    for name, (one, calls) in CALLS.items():
        add(name, [one], calls=calls)
    for name in EDITED:
        add(f"{name}, edited", [SINGLE[name]], edits={"0": 0.03, "17": 0.04, "60": 0.002})
    for name in GROWN:
        add(f"{name}, grown", [SINGLE[name]], added={"10": 0.2})
    for name in ADAM:
        add(f"{name}, adam", [SINGLE[name]], optimizer="adam")
    return cases
