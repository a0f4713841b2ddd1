"""Convolution and pooling."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib import BF16, F16, F32, F64, Recorder, Values, permuted, write

NAN, INF = float("nan"), float("inf")

CONV2D: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5, 6), (4, 3, 3, 3), {}),
    ((1, 2, 5, 6), (3, 2, 3, 2), {"stride": 2}),
    ((1, 2, 5, 6), (3, 2, 3, 2), {"stride": [1, 2], "padding": [1, 0]}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {"padding": 1}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {"padding": "same"}),
    ((1, 1, 5, 6), (1, 1, 2, 4), {"padding": "same"}),
    ((1, 2, 5, 5), (2, 2, 3, 3), {"padding": "valid"}),
    ((1, 1, 7, 7), (2, 1, 3, 3), {"dilation": 2}),
    ((1, 1, 6, 7), (2, 1, 2, 3), {"dilation": [2, 1], "stride": [1, 3], "padding": [2, 1]}),
    ((1, 4, 4, 4), (4, 2, 3, 3), {"groups": 2, "padding": 1}),
    ((2, 3, 4, 4), (6, 1, 3, 3), {"groups": 3}),
    ((1, 2, 3, 3), (3, 2, 1, 1), {}),
    ((2, 3, 3), (2, 2, 2, 2), {}),
    ((2, 5, 4), (3, 2, 2, 2), {"padding": 1}),
    ((0, 2, 4, 4), (3, 2, 3, 3), {}),
    ((1, 2, 3, 3), (3, 2, 3, 3), {}),
    ((1, 2, 2, 2), (3, 2, 3, 3), {}),
    ((1, 3, 4, 4), (3, 2, 3, 3), {}),
    ((1, 3, 4, 4), (4, 1, 3, 3), {"groups": 2}),
    ((1, 1, 4, 4), (1, 1, 3, 3), {"stride": 0}),
    ((1, 1, 4, 4), (1, 1, 3, 3), {"stride": 2, "padding": "same"}),
]
CONV1D: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 7), (4, 3, 3), {}),
    ((1, 2, 8), (3, 2, 3), {"stride": 2, "padding": 1}),
    ((1, 2, 8), (3, 2, 3), {"dilation": 2}),
    ((1, 2, 8), (3, 2, 4), {"padding": "same"}),
    ((1, 4, 6), (4, 1, 3), {"groups": 4}),
    ((2, 6), (3, 2, 3), {}),
    ((1, 2, 2), (3, 2, 3), {}),
    ((0, 2, 5), (3, 2, 3), {}),
]
MAX_POOL2D: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 2, 4, 6), {"kernelSize": 2}),
    ((1, 1, 5, 7), {"kernelSize": 2}),
    ((1, 2, 5, 7), {"kernelSize": [3, 2], "stride": [1, 2]}),
    ((1, 2, 5, 5), {"kernelSize": 3, "stride": 2, "padding": 1}),
    ((1, 1, 6, 7), {"kernelSize": 2, "stride": 1, "dilation": 2}),
    ((1, 1, 5, 5), {"kernelSize": 2, "ceilMode": True}),
    ((1, 1, 7, 5), {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True}),
    ((2, 4, 4), {"kernelSize": 2}),
    ((0, 1, 4, 4), {"kernelSize": 2}),
    ((1, 1, 4, 4), {"kernelSize": 2, "padding": 2}),
    ((1, 1, 2, 2), {"kernelSize": 3}),
    ((1, 1, 3, 3), {"kernelSize": 2, "stride": 0}),
]
AVG_POOL2D: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 2, 4, 6), {"kernelSize": 2}),
    ((1, 2, 5, 7), {"kernelSize": [3, 2], "stride": [1, 2]}),
    ((1, 2, 5, 5), {"kernelSize": 3, "stride": 2, "padding": 1}),
    ((1, 2, 5, 5), {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": False}),
    ((1, 1, 5, 5), {"kernelSize": 2, "ceilMode": True}),
    ((1, 1, 7, 5), {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True}),
    ((1, 1, 7, 5), {"kernelSize": 3, "stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False}),
    ((1, 1, 4, 4), {"kernelSize": 2, "divisorOverride": 3}),
    ((2, 4, 4), {"kernelSize": 2}),
    ((0, 1, 4, 4), {"kernelSize": 2}),
    ((1, 1, 4, 4), {"kernelSize": 2, "padding": 2}),
    ((1, 1, 2, 2), {"kernelSize": 3}),
]
NAMES = {
    "kernelSize": "kernel_size", "stride": "stride", "padding": "padding", "dilation": "dilation", "groups": "groups",
    "ceilMode": "ceil_mode", "countIncludePad": "count_include_pad", "divisorOverride": "divisor_override",
}  # fmt: skip


def snake(options: dict[str, Any]) -> dict[str, Any]:
    return {NAMES[k]: v for k, v in options.items()}


def record_convolution() -> None:
    r = Recorder()
    v = Values("conv")
    for name, fn, table in (("conv1d", F.conv1d, CONV1D), ("conv2d", F.conv2d, CONV2D)):
        for shape, weight, options in table:
            call = lambda x, w, b, o=options: fn(x, w, b, **snake(o))
            for bias in (True, False):
                make = lambda d: [
                    v.real(*shape, dtype=d),
                    v.real(*weight, dtype=d),
                    v.real(weight[0], dtype=d) if bias else None,
                ]
                r.both(name, call, make, options=options)
    r.add(
        "conv2d", F.conv2d, permuted(v.real(1, 2, 4, 5), [0, 3, 1, 2]), permuted(v.real(3, 2, 2, 3), [3, 2, 1, 0]), None
    )
    r.add("conv2d", F.conv2d, v.real(1, 2, 4, 4), v.real(3, 2, 2, 2), v.real(2))
    r.add("conv2d", F.conv2d, v.real(4, 4), v.real(3, 2, 2, 2), None)
    x = v.real(1, 1, 3, 3)
    x[0, 0, 1, 1], x[0, 0, 0, 0] = NAN, INF
    r.add("conv2d", F.conv2d, x, v.real(1, 1, 2, 2), None)
    for dtype in (F16, BF16):
        r.add(
            "conv2d", F.conv2d, v.real(1, 2, 4, 4, dtype=dtype), v.real(2, 2, 3, 3, dtype=dtype), v.real(2, dtype=dtype)
        )
    r.add(
        "conv2d",
        F.conv2d,
        v.real(1, 3, 9, 9, dtype=F32),
        v.real(8, 3, 3, 3, dtype=F32),
        v.real(8, dtype=F32),
        options={},
    )
    write("convolution", r.cases)


def record_pooling() -> None:
    r = Recorder()
    v = Values("pool")

    def max_pool(x: Tensor, options: dict[str, Any]) -> Any:
        fn = F.max_pool1d if options.get("rank") == 1 else F.max_pool2d
        return fn(x, **snake({k: o for k, o in options.items() if k != "rank"}), return_indices=True)

    for shape, options in MAX_POOL2D:
        r.both("maxPool2d", lambda x: max_pool(x, options), lambda d: [v.distinct(*shape, dtype=d)], options=options)
        if shape[-2:] != (2, 2) and all(isinstance(o, (int, bool)) for o in options.values()):
            flat = {**options, "rank": 1}
            lower = lambda d: [v.distinct(*shape[:-2], shape[-1], dtype=d)]
            r.both("maxPool1d", lambda x: max_pool(x, flat), lower, options=options)
    ties = torch.tensor([[[[1, 1, 2, 2], [1, 1, 2, 2], [NAN, 0, -INF, -INF], [3, NAN, -INF, -INF]]]], dtype=F64)
    r.add("maxPool2d", lambda x: max_pool(x, {"kernelSize": 2}), ties, options={"kernelSize": 2})
    r.add(
        "maxPool2d",
        lambda x: max_pool(x, {"kernelSize": 2}),
        permuted(v.distinct(1, 2, 4, 4), [0, 3, 1, 2]),
        options={"kernelSize": 2},
    )
    for shape, options in AVG_POOL2D:
        r.both(
            "avgPool2d",
            lambda x: F.avg_pool2d(x, **snake(options)),
            lambda d: [v.real(*shape, dtype=d)],
            options=options,
        )
        if shape[-2:] != (2, 2) and "divisorOverride" not in options and not isinstance(options["kernelSize"], list):
            lower = lambda d: [v.real(*shape[:-2], shape[-1], dtype=d)]
            r.both("avgPool1d", lambda x: F.avg_pool1d(x, **snake(options)), lower, options=options)
    r.add("avgPool2d", lambda x: F.avg_pool2d(x, 2), ties, options={"kernelSize": 2})
    for dtype in (F16, BF16):
        r.add(
            "maxPool2d",
            lambda x: max_pool(x, {"kernelSize": 2}),
            v.distinct(1, 1, 4, 4, dtype=dtype),
            options={"kernelSize": 2},
        )
        r.add("avgPool2d", lambda x: F.avg_pool2d(x, 2), v.real(1, 1, 4, 4, dtype=dtype), options={"kernelSize": 2})
    for size in (1, 2, 3, [2, 3], [None, 2]):
        r.both(
            "adaptiveAvgPool2d",
            lambda x: F.adaptive_avg_pool2d(x, size),
            lambda d: [v.real(1, 2, 5, 4, dtype=d)],
            options={"outputSize": size},
        )
    write("pooling", r.cases)


def record() -> None:
    record_convolution()
    record_pooling()
