"""Modules: forward, and gradients of the input and of every parameter."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lib import F32, F64, Values, encode, gradient_for, write
from nn.names import set_parameters, snake

# class, options, shape of the input
MODULES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Linear", {"inFeatures": 3, "outFeatures": 4}, (2, 3)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2, "bias": False}, (2, 2, 3)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2}, (3,)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2}, (0, 3)),
    ("Conv1d", {"inChannels": 2, "outChannels": 3, "kernelSize": 3, "padding": 1}, (2, 2, 5)),
    ("Conv1d", {"inChannels": 2, "outChannels": 2, "kernelSize": 2, "stride": 2, "groups": 2, "bias": False}, (1, 2, 6)),
    ("Conv2d", {"inChannels": 2, "outChannels": 3, "kernelSize": 3, "padding": 1}, (1, 2, 4, 4)),
    ("Conv2d", {"inChannels": 2, "outChannels": 2, "kernelSize": [2, 3], "stride": [2, 1], "dilation": 1, "bias": False}, (2, 2, 4, 4)),
    ("Conv2d", {"inChannels": 2, "outChannels": 2, "kernelSize": 3, "padding": "same"}, (1, 2, 3, 4)),
    ("MaxPool2d", {"kernelSize": 2}, (1, 2, 4, 5)),
    ("MaxPool2d", {"kernelSize": 3, "stride": 1, "padding": 1}, (1, 1, 4, 4)),
    ("AvgPool2d", {"kernelSize": 2}, (1, 2, 4, 5)),
    ("AvgPool2d", {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": False}, (1, 1, 5, 5)),
    ("LayerNorm", {"normalizedShape": 4}, (2, 3, 4)),
    ("LayerNorm", {"normalizedShape": [3, 4]}, (2, 3, 4)),
    ("LayerNorm", {"normalizedShape": 4, "eps": 0.1, "elementwiseAffine": False}, (3, 4)),
    ("LayerNorm", {"normalizedShape": 4, "bias": False}, (3, 4)),
    ("Flatten", {}, (2, 3, 4)),
    ("Flatten", {"startDim": 0, "endDim": 1}, (2, 3, 4)),
    ("ReLU", {}, (2, 3)),
    ("GELU", {}, (2, 3)),
    ("GELU", {"approximate": "tanh"}, (2, 3)),
    ("SiLU", {}, (2, 3)),
    ("Tanh", {}, (2, 3)),
    ("Sigmoid", {}, (2, 3)),
    ("Softmax", {"dim": 1}, (2, 3)),
    ("LogSoftmax", {"dim": -1}, (2, 3)),
    ("LeakyReLU", {"negativeSlope": 0.2}, (2, 3)),
    ("ELU", {"alpha": 1.5}, (2, 3)),
    ("Softplus", {"beta": 2.0}, (2, 3)),
    ("RMSNorm", {"normalizedShape": 4}, (2, 3, 4)),
    ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 4, 3)),
]  # fmt: skip


def run_module(name: str, options: dict[str, Any], x: Tensor, v: Values, dtype: torch.dtype) -> dict[str, Any]:
    module = getattr(nn, name)(**snake(options)).to(dtype)
    case: dict[str, Any] = {
        "module": name,
        "options": options,
        "dtype": dtype,
        "parameters": set_parameters(module, v, dtype),
        "input": x,
    }
    x = x.clone().requires_grad_(x.is_floating_point())
    out = module(x)
    seed = gradient_for(out)
    out.backward(seed)
    case |= {"output": out.detach(), "gradOutput": seed, "gradInput": x.grad}
    case["gradParameters"] = {n: p.grad for n, p in module.named_parameters()}
    return encode(case)


def record_modules() -> None:
    cases = []
    for i, (name, options, shape) in enumerate(MODULES):
        v = Values(f"{name}{i}")
        for dtype in (F64, F32):
            x = v.distinct(*shape, dtype=dtype) if "MaxPool" in name else v.real(*shape, dtype=dtype)
            cases.append(run_module(name, options, x, v, dtype))
    for options, index in (
        ({"numEmbeddings": 5, "embeddingDim": 3}, [[1, 0, 4], [1, 1, 2]]),
        ({"numEmbeddings": 5, "embeddingDim": 2, "paddingIdx": 1}, [1, 0, 1, 3]),
        ({"numEmbeddings": 5, "embeddingDim": 2, "paddingIdx": -1}, [4, 0]),
    ):
        for dtype in (F64, F32):
            cases.append(run_module("Embedding", options, torch.tensor(index), Values("Embedding"), dtype))
    write("nn-modules", cases)
