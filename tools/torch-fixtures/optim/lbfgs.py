"""L-BFGS: every loss the closure returns, and the parameters after every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from lib import F32, F64, encode, write
from optim.dense import title
from optim.trajectory import camel, data_of, state_dict

# A function of all elements in order, in doubles: value and gradient. The reader has the same, operation by operation.
Function = Callable[[list[float]], tuple[float, list[float]]]


def rosenbrock(v: list[float]) -> tuple[float, list[float]]:
    x, y = v
    a, b = 1 - x, y - x * x
    return a * a + 100 * (b * b), [-2 * a - 400 * (x * b), 200 * b]


def beale(v: list[float]) -> tuple[float, list[float]]:
    x, y = v
    a = 1.5 - x + x * y
    b = 2.25 - x + x * (y * y)
    c = 2.625 - x + x * (y * y * y)
    dx = 2 * a * (y - 1) + 2 * b * (y * y - 1) + 2 * c * (y * y * y - 1)
    dy = 2 * a * x + 4 * b * (x * y) + 6 * c * (x * (y * y))
    return a * a + b * b + c * c, [dx, dy]


def bowl(v: list[float]) -> tuple[float, list[float]]:
    """Curvatures 1, 2, 3…, coupled by the square of the sum."""
    total = 0.0
    for x in v:
        total += x
    value = total * total / 4
    gradient = []
    for i, x in enumerate(v):
        d = x - (i % 3 - 1)
        value += (i + 1) * (d * d) / 2
        gradient.append((i + 1) * d + total / 2)
    return value, gradient


FUNCTIONS: dict[str, tuple[Function, list[Any]]] = {
    "rosenbrock": (rosenbrock, [[-1.25, 1.5]]),
    "beale": (beale, [[0.5], [-0.25]]),
    "bowl": (bowl, [[[0.5, -1, 2], [1.5, 0.25, -0.75]], 0.5, [], [1, -2]]),
}
WOLFE = {"line_search_fn": "strong_wolfe"}
RUNS: list[tuple[str, int, dict[str, Any]]] = [
    ("bowl", 3, {}), ("bowl", 8, {"lr": 0.01, "max_iter": 4}), ("bowl", 8, {"max_iter": 1}), ("bowl", 4, {"max_iter": 4, "history_size": 2}),
    ("bowl", 3, {"tolerance_grad": 0.1}), ("bowl", 3, {"tolerance_change": 0.05}), ("bowl", 3, {"max_iter": 10, "max_eval": 3}), ("bowl", 3, WOLFE),
    ("bowl", 4, {**WOLFE, "max_iter": 3, "history_size": 1}), ("bowl", 3, {**WOLFE, "lr": 0.1, "max_iter": 5}),
    ("rosenbrock", 4, {"lr": 0.001, "max_iter": 5}), ("rosenbrock", 6, {**WOLFE, "max_iter": 3}), ("rosenbrock", 2, WOLFE), ("rosenbrock", 5, {**WOLFE, "max_iter": 6, "max_eval": 4}),
    ("rosenbrock", 4, {**WOLFE, "max_eval": 1}), ("rosenbrock", 4, {**WOLFE, "lr": 2.5, "max_iter": 4}), ("rosenbrock", 8, {**WOLFE, "max_iter": 2, "history_size": 1}),
    ("beale", 6, {**WOLFE, "max_iter": 3}), ("beale", 2, WOLFE), ("beale", 4, {"lr": 0.05, "max_iter": 4}), ("beale", 5, {**WOLFE, "max_iter": 5, "max_eval": 7}),
]  # fmt: skip


def run(function: str, steps: int, options: dict[str, Any], dtype: torch.dtype, absent: bool = False) -> dict[str, Any]:
    """`absent` leaves the last parameter without a gradient, which counts as zeros."""
    fn, start = FUNCTIONS[function]
    params = [torch.tensor(s, dtype=dtype).requires_grad_() for s in start]
    optimizer = torch.optim.LBFGS(params, **options)
    losses: list[float] = []

    def closure() -> float:
        flat = [x for p in params for x in p.detach().reshape(-1).tolist()]
        value, gradient = fn(flat)
        at = 0
        for p in params:
            part = gradient[at : at + p.numel()]
            p.grad = None if absent and p is params[-1] else torch.tensor(part, dtype=F64).reshape(p.shape).to(dtype)
            at += p.numel()
        losses.append(value)
        return value

    case: dict[str, Any] = {
        "optimizer": "LBFGS",
        "name": f"{function} {title(options)}",
        "function": function,
        "dtype": dtype,
        "options": camel(options),
    }
    case["params"] = encode([p.detach() for p in params])
    if absent:
        case["absent"] = len(params) - 1
    trace = []
    for _ in range(steps):
        losses.clear()
        returned = float(optimizer.step(closure))
        state = optimizer.state[params[0]]
        trace.append(
            {
                "returned": returned,
                "losses": list(losses),
                "params": data_of(params),
                "funcEvals": state["func_evals"],
                "nIter": state["n_iter"],
            }
        )
        largest = max(float(p.grad.abs().max()) for p in params if p.grad is not None and p.numel())
        # Below this the decisions of the search hang on rounding, and two right programs part ways.
        if largest < 1e-6:
            break
    return {**case, "trace": encode(trace), "stateDict": state_dict(optimizer)}


def record() -> None:
    cases = [run(*r, dtype) for r in RUNS for dtype in (F64, F32)]
    cases += [run("bowl", 3, {"max_iter": 4}, dtype, absent=True) for dtype in (F64, F32)]
    write("optim-lbfgs", cases)
