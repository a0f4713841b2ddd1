"""Operations of one tensor, element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib import BF16, BOOL, DTYPES, F16, F32, F64, I32, I64, U8, Recorder, Values, dtype_name, permuted, sliced, write

INF, NAN = float("inf"), float("nan")

# name -> (function, lowest and highest ordinary value)
UNARY: dict[str, tuple[Callable[[Tensor], Tensor], float, float]] = {
    "abs": (torch.abs, -3, 3),
    "neg": (torch.neg, -3, 3),
    "sign": (torch.sign, -3, 3),
    "exp": (torch.exp, -4, 4),
    "exp2": (torch.exp2, -4, 4),
    "expm1": (torch.expm1, -2, 2),
    "log": (torch.log, 0.01, 9),
    "log1p": (torch.log1p, -0.9, 5),
    "log2": (torch.log2, 0.01, 9),
    "log10": (torch.log10, 0.01, 9),
    "sqrt": (torch.sqrt, 0.01, 9),
    "rsqrt": (torch.rsqrt, 0.01, 9),
    "square": (torch.square, -3, 3),
    "reciprocal": (torch.reciprocal, -3, 3),
    "sin": (torch.sin, -9, 9),
    "cos": (torch.cos, -9, 9),
    "tan": (torch.tan, -4, 4),
    "asin": (torch.asin, -1, 1),
    "acos": (torch.acos, -1, 1),
    "atan": (torch.atan, -4, 4),
    "sinh": (torch.sinh, -4, 4),
    "cosh": (torch.cosh, -4, 4),
    "tanh": (torch.tanh, -4, 4),
    "asinh": (torch.asinh, -4, 4),
    "acosh": (torch.acosh, 1.01, 9),
    "atanh": (torch.atanh, -0.99, 0.99),
    "sigmoid": (torch.sigmoid, -6, 6),
    "logit": (torch.logit, 0.01, 0.99),
    "erf": (torch.erf, -3, 3),
    "erfc": (torch.erfc, -3, 3),
    "floor": (torch.floor, -3, 3),
    "ceil": (torch.ceil, -3, 3),
    "round": (torch.round, -3, 3),
    "trunc": (torch.trunc, -3, 3),
    "frac": (torch.frac, -3, 3),
    "relu": (torch.relu, -3, 3),
    "silu": (F.silu, -6, 6),
    "relu6": (F.relu6, -3, 9),
    "hardsigmoid": (F.hardsigmoid, -5, 5),
    "hardswish": (F.hardswish, -5, 5),
    "logSigmoid": (F.logsigmoid, -6, 6),
    "softsign": (F.softsign, -4, 4),
    "mish": (F.mish, -6, 6),
    "tanhshrink": (lambda x: F.tanhshrink(x), -4, 4),
    "isnan": (torch.isnan, -3, 3),
    "isinf": (torch.isinf, -3, 3),
    "isfinite": (torch.isfinite, -3, 3),
    "logicalNot": (torch.logical_not, -3, 3),
    "bitwiseNot": (torch.bitwise_not, -3, 3),
}

# name -> (function of x and options, list of options, range)
WITH_OPTIONS: dict[str, tuple[Callable[..., Tensor], list[dict[str, Any]], float, float]] = {
    "gelu": (lambda x, **o: F.gelu(x, **o), [{}, {"approximate": "none"}, {"approximate": "tanh"}], -5, 5),
    "softplus": (
        lambda x, **o: F.softplus(x, **o),
        [{}, {"beta": 2}, {"beta": 0.5, "threshold": 1}, {"threshold": 3}],
        -6,
        6,
    ),
    "elu": (lambda x, **o: F.elu(x, **o), [{}, {"alpha": 0.5}, {"alpha": 1.7}], -4, 4),
    "selu": (lambda x, **o: F.selu(x, **o), [{}], -4, 4),
    "celu": (lambda x, **o: F.celu(x, **o), [{}, {"alpha": 0.5}], -4, 4),
    "leakyRelu": (
        lambda x, **o: F.leaky_relu(x, o.get("negativeSlope", 0.01)),
        [{}, {"negativeSlope": 0.2}, {"negativeSlope": -0.1}],
        -4,
        4,
    ),
    "hardtanh": (
        lambda x, **o: F.hardtanh(x, o.get("minVal", -1.0), o.get("maxVal", 1.0)),
        [{}, {"minVal": -0.5, "maxVal": 2}],
        -3,
        3,
    ),
    "hardshrink": (lambda x, **o: F.hardshrink(x, o.get("lambd", 0.5)), [{}, {"lambd": 1.25}], -3, 3),
    "softshrink": (lambda x, **o: F.softshrink(x, o.get("lambd", 0.5)), [{}, {"lambd": 1.25}], -3, 3),
    "threshold": (
        lambda x, **o: F.threshold(x, o["threshold"], o["value"]),
        [{"threshold": 0.5, "value": -7}],
        -3,
        3,
    ),
    "clamp": (
        lambda x, **o: torch.clamp(x, min=o.get("min"), max=o.get("max")),
        [{"min": -0.5}, {"max": 0.5}, {"min": -1, "max": 1}, {"min": 1, "max": -1}, {"min": NAN}],
        -3,
        3,
    ),
    "nanToNum": (
        lambda x, **o: torch.nan_to_num(x, o.get("nan"), o.get("posinf"), o.get("neginf")),
        [{}, {"nan": 1.5, "posinf": 9, "neginf": -9}],
        -3,
        3,
    ),
    "round": (lambda x, **o: torch.round(x, decimals=o["decimals"]), [{"decimals": 2}, {"decimals": -1}], -30, 30),
    "logit": (lambda x, **o: torch.logit(x, **o), [{"eps": 0.1}], 0.01, 0.99),
}


def specials(dtype: torch.dtype) -> Tensor:
    """The values a formula gets wrong: signs of zero, ties, saturation, overflow, subnormals."""
    info = torch.finfo(dtype)
    smallest = 5e-324 if dtype == F64 else 1e-45
    values = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0, 6.0, 1e-3, -1e-3]
    values += [1e-8, -1e-8, 20.0, -20.0, 88.5, -88.5, 104.0, -104.0, 710.0, -746.0, 1e4, -1e5, 8388609.0]
    values += [info.tiny, -info.tiny, smallest, -smallest, info.max, -info.max, 0.99999994, 3.1415927, 100.0]
    return torch.tensor(values, dtype=F64).to(dtype)


def record_unary() -> None:
    r = Recorder()
    for name, (fn, lo, hi) in UNARY.items():
        seed = Values(name)
        r.both(name, fn, lambda d: [seed.real(4, 6, dtype=d, lo=lo, hi=hi)])
        small = seed.real(2, 3, lo=lo, hi=hi)
        r.add(name, fn, permuted(small, [1, 0]))
        r.add(name, fn, sliced(small.to(F32), 1))
        r.add(name, fn, seed.real(lo=lo, hi=hi))
        r.add(name, fn, torch.zeros(0, 3))
    write("elementwise-unary", r.cases)

    r = Recorder()
    for name, (fn, _, _) in UNARY.items():
        r.both(name, fn, lambda d: [specials(d)])
    write("elementwise-specials", r.cases)

    r = Recorder()
    for name, (fn, lo, hi) in UNARY.items():
        seed = Values(name + "/dtypes")
        positive = lo >= 0
        for dtype in (F16, BF16):
            r.add(name, fn, seed.real(7, dtype=dtype, lo=lo, hi=hi))
        for dtype in (I32, I64, U8):
            low = 1 if positive else (0 if dtype == U8 else -4)
            r.add(name, fn, seed.integers(5, dtype=dtype, lo=low, hi=9))
        r.add(name, fn, torch.tensor([True, False]))
    write("elementwise-dtypes", r.cases)


def record_with_options() -> None:
    r = Recorder()
    for name, (fn, options, lo, hi) in WITH_OPTIONS.items():
        seed = Values(name)
        for o in options:
            r.both(name, lambda x, o=o: fn(x, **o), lambda d: [seed.real(3, 6, dtype=d, lo=lo, hi=hi)], options=o)
            r.both(name, lambda x, o=o: fn(x, **o), lambda d: [specials(d)], options=o)
        o = options[-1]
        r.add(name, lambda x: fn(x, **o), permuted(seed.real(2, 3, lo=lo, hi=hi), [1, 0]), options=o)
        r.add(name, lambda x: fn(x, **o), seed.real(lo=lo, hi=hi), options=o)
        r.add(name, lambda x: fn(x, **o), torch.zeros(0, 2), options=o)
        for dtype in (F16, BF16, I64, U8, BOOL):
            r.add(name, lambda x: fn(x, **o), seed.of(4, dtype=dtype), options=o)
    write("elementwise-options", r.cases)


def unary_dtypes() -> dict[str, list[str]]:
    """Result dtype of every unary operation for each dtype in DTYPES order, or "error"."""
    table: dict[str, list[str]] = {}
    for name, (fn, _, _) in UNARY.items():
        row = []
        for dtype in DTYPES:
            try:
                row.append(dtype_name(fn(torch.ones(2, dtype=dtype)).dtype))
            except (RuntimeError, TypeError):
                row.append("error")
        table[name] = row
    return table


def record() -> None:
    record_unary()
    record_with_options()
