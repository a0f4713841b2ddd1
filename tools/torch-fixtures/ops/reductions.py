"""Folds, scans and softmax: over all axes, one, several, none, kept or dropped, empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lib import BF16, BOOL, F16, F32, F64, I32, I64, U8, Recorder, Values, permuted, sliced, write

INF, NAN = float("inf"), float("nan")

OVER_DIMS: dict[str, Callable[..., Tensor]] = {
    "sum": torch.sum,
    "mean": torch.mean,
    "amax": torch.amax,
    "amin": torch.amin,
    "logsumexp": torch.logsumexp,
    "all": torch.all,
    "any": torch.any,
    "countNonzero": torch.count_nonzero,
}
OVER_ONE: dict[str, Callable[..., Any]] = {
    "prod": torch.prod,
    "argmax": torch.argmax,
    "argmin": torch.argmin,
    "max": torch.max,
    "min": torch.min,
    "median": torch.median,
}
SCANS: dict[str, Callable[..., Any]] = {
    "cumsum": torch.cumsum,
    "cumprod": torch.cumprod,
    "cummax": torch.cummax,
    "cummin": torch.cummin,
    "logcumsumexp": torch.logcumsumexp,
    "softmax": torch.softmax,
    "logSoftmax": torch.log_softmax,
    "softmin": torch.nn.functional.softmin,
}
ONLY_DIMS = {"logsumexp"}
NO_KEEP = {"countNonzero"}


def keywords(options: dict[str, Any]) -> dict[str, Any]:
    names = {"dim": "dim", "keepDim": "keepdim", "correction": "correction", "p": "p", "dtype": "dtype"}
    return {names[k]: tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def run(r: Recorder, op: str, fn: Callable[..., Any], make: Any, **options: Any) -> None:
    call = lambda x: fn(x, **keywords(options))
    if isinstance(make, Tensor):
        r.add(op, call, make, options=options)
    else:
        r.both(op, call, lambda d: [make(d)], options=options)


def dim_choices(op: str) -> list[dict[str, Any]]:
    choices: list[dict[str, Any]] = [] if op in ONLY_DIMS else [{}]
    choices += [{"dim": 0}, {"dim": -1}, {"dim": [0, 2]}, {"dim": [1]}, {"dim": [0, 1, 2]}]
    if op not in NO_KEEP:
        choices += [{"dim": 1, "keepDim": True}, {"dim": [-1, 0], "keepDim": True}]
    return choices


def edge_inputs(d: torch.dtype) -> list[Tensor]:
    return [
        torch.tensor([[1, NAN, 2], [INF, 1, -INF], [INF, INF, 1], [-INF, -INF, -INF], [-0.0, 0, -0.0]], dtype=d),
        torch.tensor([[1, 1, 1], [2, 2, 1], [0, 3, 3]], dtype=d),
    ]


def record_over_dims() -> None:
    r = Recorder()
    for op, fn in OVER_DIMS.items():
        seed = Values(op)
        for options in dim_choices(op):
            run(r, op, fn, lambda d: seed.real(2, 3, 4, dtype=d), **options)
        for edge in edge_inputs(F64) + edge_inputs(F32):
            run(r, op, fn, edge, dim=1)
        run(r, op, fn, permuted(seed.real(3, 2, 4), [2, 0, 1]), dim=[0, 1])
        run(r, op, fn, sliced(seed.real(3, 4), 1), dim=1)
        run(r, op, fn, seed.real(), dim=0)
        for shape, dim in (((0,), 0), ((0, 3), 0), ((0, 3), 1), ((2, 0), 1), ((2, 0), 0)):
            run(r, op, fn, torch.zeros(shape), dim=dim)
        if op not in ONLY_DIMS:
            run(r, op, fn, seed.real())
            run(r, op, fn, torch.zeros(0))
            run(r, op, fn, torch.zeros(2, 0, 3))
        for dtype in (F16, BF16, I32, I64, U8, BOOL):
            run(r, op, fn, seed.of(3, 4, dtype=dtype), dim=1)
        run(r, op, fn, seed.real(2, 3), dim=2)
        run(r, op, fn, seed.real(2, 3), dim=[0, 0])
        run(r, op, fn, seed.real(2, 3), dim=[0, -2])
    for dtype in (F32, F64, I64):
        for source in (BOOL, I32, F32, F16):
            run(r, "sum", torch.sum, Values("sum/dtype").of(3, 4, dtype=source), dim=0, dtype=dtype)
    run(r, "mean", torch.mean, torch.arange(6).reshape(2, 3), dim=0, dtype=F32)
    run(r, "prod", torch.prod, torch.arange(1, 7).reshape(2, 3), dim=0, dtype=F64)
    run(r, "sum", torch.sum, lambda d: Values("sum/long").real(1003, dtype=d))
    run(r, "mean", torch.mean, lambda d: Values("mean/long").real(3, 127, dtype=d), dim=1)
    write("reductions-dims", r.cases)


def record_over_one() -> None:
    r = Recorder()
    for op, fn in OVER_ONE.items():
        seed = Values(op)
        for options in ({}, {"dim": 0}, {"dim": -1}, {"dim": 1, "keepDim": True}):
            run(r, op, fn, lambda d: seed.distinct(2, 3, 4, dtype=d), **options)
        for edge in edge_inputs(F64) + edge_inputs(F32):
            run(r, op, fn, edge, dim=1)
            run(r, op, fn, edge)
        run(r, op, fn, permuted(seed.distinct(3, 4), [1, 0]), dim=1)
        run(r, op, fn, seed.real())
        run(r, op, fn, seed.real(), dim=0)
        for shape, dim in (((0,), 0), ((0, 3), 0), ((0, 3), 1)):
            run(r, op, fn, torch.zeros(shape), dim=dim)
        run(r, op, fn, torch.zeros(0))
        for dtype in (F16, BF16, I32, I64, U8, BOOL):
            run(r, op, fn, seed.of(3, 4, dtype=dtype), dim=1)
        run(r, op, fn, seed.real(2, 3), dim=2)
    # The gradient of a product with none, one and two zeros in a row.
    zeros = torch.tensor([[1.5, 2, -3], [0, 2, -3], [0, 0, -3]], dtype=F64)
    run(r, "prod", torch.prod, zeros, dim=1)
    run(r, "prod", torch.prod, zeros)
    run(r, "cumprod", torch.cumprod, zeros, dim=1)
    write("reductions-one", r.cases)


def record_moments() -> None:
    r = Recorder()
    for op, fn in (("var", torch.var), ("std", torch.std)):
        seed = Values(op)
        for correction in (None, 0, 1, 2):
            extra = {} if correction is None else {"correction": correction}
            for options in ({}, {"dim": 1}, {"dim": [0, 2], "keepDim": True}):
                run(r, op, fn, lambda d: seed.real(2, 3, 4, dtype=d), **options, **extra)
        for edge in edge_inputs(F64):
            run(r, op, fn, edge, dim=1)
        run(r, op, fn, torch.tensor([[3.0], [4.0]], dtype=F64), dim=1)
        run(r, op, fn, torch.tensor([[3.0], [4.0]], dtype=F64), dim=1, correction=0)
        run(r, op, fn, torch.tensor(3.0, dtype=F64))
        run(r, op, fn, torch.zeros(0))
        run(r, op, fn, torch.zeros(2, 0), dim=1)
        run(r, op, fn, lambda d: seed.real(4, 5, dtype=d, lo=999, hi=1001), dim=1)
        for dtype in (F16, BF16, I64, BOOL):
            run(r, op, fn, seed.of(3, 4, dtype=dtype), dim=1)
    for op, fn in (("varMean", torch.var_mean), ("stdMean", torch.std_mean)):
        run(r, op, fn, lambda d: Values(op).real(3, 4, dtype=d), dim=1)
    norm = lambda x, **o: torch.norm(x, **{"p": o.pop("p", 2), **o})
    seed = Values("norm")
    for p in (None, 1, 2, 3, 0, 0.5, -1, INF, -INF):
        extra = {} if p is None else {"p": p}
        for options in ({}, {"dim": 1}, {"dim": [0, 2], "keepDim": True}):
            run(r, "norm", norm, lambda d: seed.real(2, 3, 4, dtype=d), **extra, **options)
        run(r, "norm", norm, edge_inputs(F64)[0], **extra, dim=1)
        run(r, "norm", norm, torch.tensor([[0.0, 0, 0], [0, -3, 4], [2, 2, -2]], dtype=F64), **extra, dim=1)
        run(r, "norm", norm, torch.zeros(0), **extra)
        run(r, "norm", norm, torch.zeros(0, 3), **extra, dim=0)
        run(r, "norm", norm, seed.real(), **extra)
    for dtype in (F16, BF16, I64):
        run(r, "norm", norm, seed.of(3, 4, dtype=dtype), dim=1)
    run(r, "norm", norm, torch.tensor([1e30, 1e30]))
    write("reductions-moments", r.cases)


def record_scans() -> None:
    r = Recorder()
    for op, fn in SCANS.items():
        seed = Values(op)
        for dim in (0, 1, -1):
            run(r, op, fn, lambda d: seed.real(2, 3, 4, dtype=d), dim=dim)
        for edge in edge_inputs(F64) + edge_inputs(F32):
            run(r, op, fn, edge, dim=1)
            run(r, op, fn, edge, dim=0)
        run(r, op, fn, permuted(seed.real(3, 4), [1, 0]), dim=1)
        run(r, op, fn, sliced(seed.real(3, 4), 0), dim=0)
        run(r, op, fn, seed.real(), dim=0)
        for shape, dim in (((0,), 0), ((0, 3), 0), ((3, 0), 0)):
            run(r, op, fn, torch.zeros(shape), dim=dim)
        for dtype in (F16, BF16, I32, I64, U8, BOOL):
            run(r, op, fn, seed.of(3, 4, dtype=dtype), dim=1)
        run(r, op, fn, seed.real(2, 3), dim=2)
    large = torch.tensor([[1000, 1000.5, -1000], [-1e30, 0, 1e30], [88, 89, 90]], dtype=F64)
    for op in ("softmax", "logSoftmax"):
        for dtype in (F64, F32):
            run(r, op, SCANS[op], large.to(dtype), dim=1)
        run(r, op, SCANS[op], torch.arange(6).reshape(2, 3), dim=1, dtype=F32)
        run(r, op, SCANS[op], lambda d: Values(op).real(2, 67, dtype=d, lo=-9, hi=9), dim=1)
    run(r, "cumsum", torch.cumsum, torch.arange(5, dtype=U8), dim=0, dtype=F32)
    write("reductions-scans", r.cases)


def record() -> None:
    record_over_dims()
    record_over_one()
    record_moments()
    record_scans()
