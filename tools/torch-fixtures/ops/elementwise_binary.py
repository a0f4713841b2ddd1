"""Operations of two and three tensors, and the promotion tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lib import BF16, BOOL, DTYPES, F16, F32, F64, I32, I64, U8, Recorder, Values, dtype_name, expanded, permuted, write
from ops.elementwise_unary import unary_dtypes

INF, NAN = float("inf"), float("nan")

# name -> (function, range of the first operand, range of the second)
BINARY: dict[str, tuple[Callable[..., Tensor], tuple[float, float], tuple[float, float]]] = {
    "add": (torch.add, (-3, 3), (-3, 3)),
    "sub": (torch.sub, (-3, 3), (-3, 3)),
    "mul": (torch.mul, (-3, 3), (-3, 3)),
    "div": (torch.div, (-3, 3), (-3, 3)),
    "pow": (torch.pow, (0.1, 4), (-3, 3)),
    "atan2": (torch.atan2, (-3, 3), (-3, 3)),
    "remainder": (torch.remainder, (-9, 9), (-3, 3)),
    "fmod": (torch.fmod, (-9, 9), (-3, 3)),
    "maximum": (torch.maximum, (-3, 3), (-3, 3)),
    "minimum": (torch.minimum, (-3, 3), (-3, 3)),
    "fmax": (torch.fmax, (-3, 3), (-3, 3)),
    "fmin": (torch.fmin, (-3, 3), (-3, 3)),
    "hypot": (torch.hypot, (-3, 3), (-3, 3)),
    "floorDivide": (torch.floor_divide, (-9, 9), (-3, 3)),
    "copysign": (torch.copysign, (-3, 3), (-3, 3)),
    "xlogy": (torch.xlogy, (-3, 3), (0.1, 3)),
    "logaddexp": (torch.logaddexp, (-3, 3), (-3, 3)),
}
COMPARE: dict[str, Callable[..., Tensor]] = {
    "eq": torch.eq,
    "ne": torch.ne,
    "lt": torch.lt,
    "le": torch.le,
    "gt": torch.gt,
    "ge": torch.ge,
    "logicalAnd": torch.logical_and,
    "logicalOr": torch.logical_or,
    "logicalXor": torch.logical_xor,
}
SCALAR_FIRST = {"add", "sub", "mul", "div", "pow", "remainder"}
TENSORS_ONLY = {
    "atan2",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "hypot",
    "logaddexp",
    "logicalAnd",
    "logicalOr",
    "logicalXor",
}
SHAPES = [
    ((3, 4), (3, 4)),
    ((3, 4), (4,)),
    ((3, 1), (1, 4)),
    ((), (2, 3)),
    ((2, 1, 3), (2, 1)),
    ((0, 3), (1, 3)),
    ((), ()),
]
MIXED = [
    (I32, I64),
    (U8, I32),
    (BOOL, BOOL),
    (I64, F32),
    (F32, F64),
    (F16, F32),
    (F16, BF16),
    (I32, I32),
    (U8, U8),
    (BOOL, I64),
]


def special_pairs(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    values = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 0.5, torch.finfo(dtype).max]
    column = torch.tensor(values, dtype=dtype)
    return column.reshape(-1, 1), column.clone()


def nonzero(t: Tensor) -> Tensor:
    return t if t.dtype == BOOL else torch.where(t == 0, torch.ones_like(t), t)


def as_tensor_first(fn: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`2 - x`: PyTorch spells a scalar first operand through the operators."""
    by_name = {torch.sub: "__rsub__", torch.div: "__rtruediv__", torch.add: "__radd__", torch.mul: "__rmul__"}
    if fn in by_name:
        return lambda s, x: getattr(x, by_name[fn])(s)
    return fn


def record_binary() -> None:
    r = Recorder()
    for name, (fn, a, b) in BINARY.items():
        seed = Values(name)
        for left, right in SHAPES:
            r.both(
                name,
                fn,
                lambda d: [seed.real(*left, dtype=d, lo=a[0], hi=a[1]), seed.real(*right, dtype=d, lo=b[0], hi=b[1])],
            )
        x, y = seed.real(3, 2, lo=a[0], hi=a[1]), seed.real(3, 2, lo=b[0], hi=b[1])
        r.add(name, fn, permuted(x, [1, 0]), y)
        r.add(name, fn, x, expanded(y[:1].clone(), (3, 2)))
        r.add(name, fn, torch.ones(2, 3), torch.ones(2, 2))
        if name not in TENSORS_ONLY:
            for scalar in (2, 0.3, -1.5, 0) if name not in ("xlogy", "copysign") else (2, 0.3):
                r.both(name, fn, lambda d: [seed.real(5, dtype=d, lo=a[0], hi=a[1]), scalar])
        if name in SCALAR_FIRST:
            for scalar in (2, 0.3, 1, 0):
                r.both(name, as_tensor_first(fn), lambda d: [scalar, seed.real(5, dtype=d, lo=b[0], hi=b[1])])
    for exponent in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 4, 2.5):
        r.both("pow", torch.pow, lambda d: [Values("pow").real(6, dtype=d, lo=-3, hi=3), exponent])
        values = [NAN, INF, -INF, 0.0, -0.0, 1.0, -1.0, 3.0]
        r.both("pow", torch.pow, lambda d: [torch.tensor(values, dtype=d), exponent])
    write("elementwise-binary", r.cases)

    r = Recorder()
    for name, (fn, _, _) in BINARY.items():
        r.both(name, fn, special_pairs)
    for name, fn in COMPARE.items():
        r.add(name, fn, *special_pairs(F64))
        r.add(name, fn, *special_pairs(F32))
    write("elementwise-binary-specials", r.cases)


def record_mixed() -> None:
    r = Recorder()
    functions = {**{k: v[0] for k, v in BINARY.items()}, **COMPARE}
    for name, fn in functions.items():
        seed = Values(name + "/mixed")
        for left, right in MIXED:
            r.add(name, fn, seed.of(4, dtype=left), nonzero(seed.of(4, dtype=right)), grad=False)
        for dtype in (F32, F64, F16, BF16):
            r.add(name, fn, seed.of(2, 3, dtype=dtype), seed.of(3, dtype=dtype), grad=False)
        if name not in TENSORS_ONLY:
            for dtype in (I64, U8, BOOL, F16, BF16):
                for scalar in (2, 1.5):
                    r.add(name, fn, seed.of(4, dtype=dtype), scalar, grad=False)
        if name in SCALAR_FIRST:
            r.add(name, as_tensor_first(fn), 3, nonzero(seed.integers(4, lo=1, hi=5)), grad=False)
    # Truncation and sign conventions of integer division.
    a = torch.tensor([7, 7, -7, -7, 0, 6])
    b = torch.tensor([2, -2, 2, -2, 3, 3])
    for name in ("div", "remainder", "fmod", "floorDivide", "pow"):
        r.add(name, functions[name], a, b.abs() if name == "pow" else b, grad=False)
    for name in ("remainder", "fmod", "floorDivide"):
        r.add(name, functions[name], a, torch.zeros_like(b), grad=False)
    for rounding in ("trunc", "floor"):
        fn = lambda x, y, m=rounding: torch.div(x, y, rounding_mode=m)
        r.add("div", fn, a, b, options={"roundingMode": rounding}, grad=False)
        r.both("div", fn, lambda d: [a.to(d), b.to(d) + 0.3], options={"roundingMode": rounding})
    r.add("pow", torch.pow, torch.tensor([2, 3]), -1, grad=False)
    r.add("pow", torch.pow, torch.tensor([2, 3]), torch.tensor([-1, 2]), grad=False)
    write("elementwise-mixed", r.cases)


def record_ternary() -> None:
    r = Recorder()
    seed = Values("ternary")
    mask = lambda *s: seed.integers(*s, lo=0, hi=2).to(BOOL)
    real = seed.real

    def where(c: Any, x: Any, y: Any) -> Tensor:
        return torch.where(c, x, y)

    for shapes in (
        ((3, 4), (3, 4), (3, 4)),
        ((3, 1), (4,), (3, 4)),
        ((), (3,), (3,)),
        ((3,), (), ()),
        ((0, 2), (2,), (1, 2)),
    ):
        r.both("where", where, lambda d: [mask(*shapes[0]), real(*shapes[1], dtype=d), real(*shapes[2], dtype=d)])
    r.both("where", where, lambda d: [mask(5), real(5, dtype=d), 0.5])
    r.both("where", where, lambda d: [mask(5), -2, real(5, dtype=d)])
    r.add("where", where, permuted(mask(3, 2), [1, 0]), real(3, 2), permuted(real(3, 2), [1, 0]))
    r.both(
        "where",
        where,
        lambda d: [mask(4), torch.tensor([NAN, INF, -0.0, 1], dtype=d), torch.tensor([1, NAN, 0, -INF], dtype=d)],
    )
    for a, b in MIXED:
        r.add("where", where, mask(4), seed.of(4, dtype=a), seed.of(4, dtype=b), grad=False)
    r.add("where", where, real(3), real(3), real(3))

    def lerp(x: Any, y: Any, w: Any) -> Tensor:
        return torch.lerp(x, y, w)

    for weight in (0.1, 0.5, 0.9, 1.5, 0, 1):
        r.both("lerp", lerp, lambda d: [real(6, dtype=d), real(6, dtype=d), float(weight)])
    r.both("lerp", lerp, lambda d: [real(2, 3, dtype=d), real(3, dtype=d), real(2, 1, dtype=d)])
    r.both("lerp", lerp, lambda d: [real(0, 3, dtype=d), real(3, dtype=d), 0.5])
    r.both(
        "lerp",
        lerp,
        lambda d: [torch.tensor([INF, 1, NAN, -INF], dtype=d), torch.tensor([1, INF, 1, -INF], dtype=d), 0.25],
    )
    r.add("lerp", lerp, real(3), real(3, dtype=F32), 0.5)

    def clamp(x: Any, lo: Any, hi: Any) -> Tensor:
        return torch.clamp(x, lo, hi)

    r.both("clamp", clamp, lambda d: [real(3, 4, dtype=d), real(4, dtype=d) - 1, real(3, 1, dtype=d) + 1])
    r.both("clamp", clamp, lambda d: [real(6, dtype=d), None, real(6, dtype=d)])
    r.both(
        "clamp",
        clamp,
        lambda d: [
            torch.tensor([NAN, 1, 2, -1], dtype=d),
            torch.tensor([0, NAN, 2, -1], dtype=d),
            torch.tensor([1, 3, NAN, -2], dtype=d),
        ],
    )
    r.add("clamp", clamp, seed.integers(5), -2, 3)
    r.add("clamp", clamp, seed.integers(5), -1.5, 2.5)
    r.add("clamp", clamp, seed.of(5, dtype=U8), 2, 5)
    r.add("clamp", clamp, real(3), None, None)

    for name, fn in (("addcmul", torch.addcmul), ("addcdiv", torch.addcdiv)):
        for value in (None, 0.5, -2):
            options = {} if value is None else {"value": value}
            run = lambda x, a, b, o=options: fn(x, a, b, **o)
            r.both(
                name, run, lambda d: [real(2, 3, dtype=d), real(3, dtype=d), real(2, 1, dtype=d) + 3], options=options
            )
    for name, fn in (("add", torch.add), ("sub", torch.sub)):
        for alpha in (2, -0.5):
            run = lambda x, y, a=alpha: fn(x, y, alpha=a)
            r.both(name, run, lambda d: [real(2, 3, dtype=d), real(3, dtype=d)], options={"alpha": alpha})
    write("elementwise-ternary", r.cases)


def result_dtype(fn: Callable[..., Any], *args: Any) -> str:
    try:
        return dtype_name(fn(*args).dtype)
    except (RuntimeError, TypeError):
        return "error"


def record_promotion() -> None:
    """Rows are the dtype of the first operand, columns of the second, both in the order of `dtypes`."""
    ops: dict[str, Callable[..., Any]] = {n: v[0] for n, v in BINARY.items()} | COMPARE
    ops["where"] = lambda a, b: torch.where(torch.tensor([True]), a, b)
    ones = lambda dtype, dims: torch.ones([2] * dims, dtype=dtype)
    scalars: dict[str, Any] = {"int": 1, "float": 1.5, "bool": True}
    cases = []
    for name, fn in ops.items():
        case: dict[str, Any] = {"op": name}
        for key, (left, right) in {
            "tensorTensor": (1, 1),
            "tensorZeroDim": (1, 0),
            "zeroDimTensor": (0, 1),
            "zeroDimZeroDim": (0, 0),
        }.items():
            case[key] = [[result_dtype(fn, ones(a, left), ones(b, right)) for b in DTYPES] for a in DTYPES]
        for kind, value in scalars.items():
            if name not in TENSORS_ONLY:
                case[f"tensor{kind.capitalize()}"] = [result_dtype(fn, ones(a, 1), value) for a in DTYPES]
                case[f"zeroDim{kind.capitalize()}"] = [result_dtype(fn, ones(a, 0), value) for a in DTYPES]
            if name in SCALAR_FIRST:
                case[f"{kind}Tensor"] = [result_dtype(as_tensor_first(fn), value, ones(a, 1)) for a in DTYPES]
        cases.append(case)
    cases.append({"op": "unary", "table": unary_dtypes()})
    reductions: dict[str, Callable[[Tensor], Any]] = {
        "sum": torch.sum, "mean": torch.mean, "prod": torch.prod, "amax": torch.amax, "argmax": torch.argmax, "max": torch.max,
        "var": torch.var, "std": torch.std, "norm": torch.norm, "logsumexp": lambda x: torch.logsumexp(x, 0), "all": torch.all,
        "any": torch.any, "cumsum": lambda x: torch.cumsum(x, 0), "cumprod": lambda x: torch.cumprod(x, 0),
        "softmax": lambda x: torch.softmax(x, 0), "logSoftmax": lambda x: torch.log_softmax(x, 0),
        "matmul": lambda x: x @ x, "sort": lambda x: torch.sort(x)[0], "countNonzero": torch.count_nonzero,
    }  # fmt: skip
    cases.append(
        {"op": "reduction", "table": {n: [result_dtype(f, ones(d, 1)) for d in DTYPES] for n, f in reductions.items()}}
    )
    write("promotion", cases, dtypes=[dtype_name(d) for d in DTYPES])


def record() -> None:
    record_binary()
    record_mixed()
    record_ternary()
    record_promotion()
