"""Batch normalisation, whose running statistics need several passes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lib import F32, F64, Values, encode, gradient_for, write
from nn.names import set_parameters, snake

BATCH_NORMS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BatchNorm1d", {"numFeatures": 3}, (5, 3)),
    ("BatchNorm1d", {"numFeatures": 3}, (2, 3, 4)),
    ("BatchNorm1d", {"numFeatures": 3, "momentum": 0.3, "eps": 0.1}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "momentum": None}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "affine": False}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "trackRunningStats": False}, (4, 3)),
    ("BatchNorm2d", {"numFeatures": 2}, (2, 2, 3, 3)),
    ("BatchNorm2d", {"numFeatures": 2, "momentum": 0.5}, (1, 2, 2, 3)),
]


def buffers(module: nn.Module) -> dict[str, Tensor]:
    return {n: b.detach().clone() for n, b in module.named_buffers()}


def record_batch_norm() -> None:
    """Three training passes, whose last one is differentiated, then one in evaluation mode."""
    cases = []
    for i, (name, options, shape) in enumerate(BATCH_NORMS):
        for dtype in (F64, F32):
            v = Values(f"{name}{i}")
            module = getattr(nn, name)(**snake(options)).to(dtype)
            case: dict[str, Any] = {
                "module": name,
                "options": options,
                "dtype": dtype,
                "parameters": set_parameters(module, v, dtype),
            }
            passes = []
            for mode in ("train", "train", "train", "eval"):
                module.train(mode == "train")
                module.zero_grad()
                x = v.real(*shape, dtype=dtype)
                record: dict[str, Any] = {"mode": mode, "input": x}
                x = x.clone().requires_grad_()
                out = module(x)
                seed = gradient_for(out)
                out.backward(seed)
                record |= {"output": out.detach(), "gradOutput": seed, "gradInput": x.grad}
                record["gradParameters"] = {n: p.grad for n, p in module.named_parameters()}
                record["buffers"] = buffers(module)
                passes.append(encode(record))
            case["passes"] = passes
            cases.append(encode(case))
    for shape in ((1, 3), (4, 2), (3,)):
        case = {"module": "BatchNorm1d", "options": {"numFeatures": 3}, "dtype": F32, "input": torch.ones(shape)}
        try:
            nn.BatchNorm1d(3)(torch.ones(shape))
        except (ValueError, RuntimeError) as error:
            cases.append(encode({**case, "error": True, "reason": str(error)}))
    write("nn-batch-norm", cases)
