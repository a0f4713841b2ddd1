"""Tensors from numbers."""

from __future__ import annotations

from typing import Any

import torch

from lib import BF16, BOOL, F16, F32, F64, I32, I64, U8, Recorder, write

NAN, INF = float("nan"), float("inf")


def record() -> None:
    r = Recorder()

    def make(op: str, fn: Any, *args: Any, **options: Any) -> None:
        r.add(op, lambda *xs: fn(*xs, **options), *args, options=options)

    for args in (
        (5,),
        (1, 5),
        (0, 10, 3),
        (5, 0, -2),
        (0,),
        (3, 3),
        (2.5,),
        (0.5, 3),
        (0, 1, 0.25),
        (1, 2, 0.3),
        (0, 1, 0.1),
        (-1, 1, 0.5),
        (5, 1),
        (0, 5, 0),
        (0, 5, -1),
        (0, NAN),
        (0, INF),
    ):
        make("arange", torch.arange, *args)
    for dtype in (F32, F64, F16, I32, U8):
        make("arange", torch.arange, 1, 6, 2, dtype=dtype)
    make("arange", torch.arange, 0, 1, 0.1, dtype=F64)
    make("arange", torch.arange, 0, 3, 0.5, dtype=I64)
    for args in (
        (0, 1, 5),
        (-3, 3, 7),
        (1, 0, 4),
        (2, 9, 1),
        (0, 1, 0),
        (0, 1, 11),
        (3, 3, 3),
        (-1.5, 2.5, 6),
        (0, 1, -1),
        (0, 1, 33),
    ):
        make("linspace", torch.linspace, *args)
        make("linspace", torch.linspace, *args, dtype=F64)
    make("linspace", torch.linspace, 0, 10, 4, dtype=I64)
    make("linspace", torch.linspace, 0, 10, 6, dtype=F16)
    make("logspace", torch.logspace, 0, 2, 3)
    for args in ((3,), (2, 4), (3, 1), (0,), (0, 3), (-1,)):
        make("eye", torch.eye, *args)
    for dtype in (F64, I64, BOOL):
        make("eye", torch.eye, 2, dtype=dtype)
    for value in (0, 7, 1.5, -0.0, True, NAN, INF):
        make("full", lambda v: torch.full((2, 2), v), value)
    for dtype in (F64, F16, BF16, I32, U8, BOOL):
        r.add("full", lambda v: torch.full((3,), v, dtype=dtype), 2, options={"dtype": dtype})
    r.add("full", lambda v: torch.full((2,), v, dtype=I32), 2.7, options={"dtype": "int32"})
    for op, fn in (("zeros", torch.zeros), ("ones", torch.ones)):
        for shape in ((2, 3), (), (0, 2)):
            r.add(op, lambda: fn(shape), options={"shape": list(shape)})
        for dtype in (F64, I64, BOOL):
            r.add(op, lambda: fn(2, dtype=dtype), options={"shape": [2], "dtype": dtype})
        r.add(op, lambda: fn(2, -1), options={"shape": [2, -1]})
    for value in (
        [1, 2],
        [1, 2.5],
        [True, False],
        [True, 2],
        [[1, 2], [3, 4]],
        [[]],
        [],
        3,
        3.5,
        True,
        [[1], [2, 3]],
        [1, [2]],
        [True, 1.5],
    ):
        options = {"data": value}
        r.add("tensor", lambda: torch.tensor(value), options=options)
    for dtype in (F64, F32, F16, BF16, I32, U8, BOOL):
        r.add(
            "tensor",
            lambda: torch.tensor([0, 1.7, 200.5, -0.0], dtype=dtype),
            options={"data": [0, 1.7, 200.5, "-0"], "dtype": dtype},
        )
    # Conversion: truncation toward zero, rounding to nearest even, overflow of the half formats.
    source = torch.tensor(
        [
            0.1,
            -2.7,
            2.5,
            3.0000001,
            65504,
            65520,
            65519.9,
            1e-8,
            6e-8,
            3e38,
            -0.0,
            NAN,
            INF,
            1.00390625,
            1.01171875,
            257,
        ],
        dtype=F64,
    )
    for dtype in (F32, F16, BF16):
        r.add("to", lambda x: x.to(dtype), source, options={"dtype": dtype})
    single = source.to(F32)
    for dtype in (F64, F16, BF16):
        r.add("to", lambda x: x.to(dtype), single, options={"dtype": dtype}, grad=False)
    for dtype in (I32, I64, U8):
        r.add(
            "to",
            lambda x: x.to(dtype),
            torch.tensor([0.1, 2.7, 2.5, 200.9, 0.0], dtype=F64),
            options={"dtype": dtype},
            grad=False,
        )
    r.add("to", lambda x: x.to(I32), torch.tensor([-0.1, -2.7, -2.5]), options={"dtype": I32})
    r.add("to", lambda x: x.to(BOOL), torch.tensor([0.0, -0.0, 0.5, NAN, INF]), options={"dtype": BOOL})
    r.add("to", lambda x: x.to(U8), torch.tensor([-1, 256, 300, 255]), options={"dtype": U8})
    r.add("to", lambda x: x.to(I32), torch.tensor([2**31, -(2**31) - 1, 2**33 + 5]), options={"dtype": I32})
    r.add("to", lambda x: x.to(F32), torch.tensor([16777217, 2**31 + 1, 2**53 - 1]), options={"dtype": F32})
    write("creation", r.cases)
