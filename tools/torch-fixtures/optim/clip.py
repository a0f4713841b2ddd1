"""Gradients before and after clipping, and vectors of parameters."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
import torch
from torch import Tensor
from torch.nn.utils import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
    parameters_to_vector,
)

from lib import F32, F64, Values, encode, write

# Equal sizes, which share launches, beside others; a number and an empty tensor.
SHAPES = [(2, 3), (3, 2), (5,), (), (6,), (0,), (1, 4), (4,)]
NORM_TYPES = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, math.inf]


def gradients(seed: str, dtype: torch.dtype, shapes: list[tuple[int, ...]] = SHAPES) -> list[Tensor]:
    values = Values(f"clip/{seed}")
    return [values.real(*shape, dtype=dtype) for shape in shapes]


def parameters(grads: list[Tensor]) -> list[Tensor]:
    params = [torch.zeros_like(g) for g in grads]
    for p, g in zip(params, grads, strict=True):
        p.grad = g.clone()
    return params


def by_norm(dtype: torch.dtype, norm_type: float, max_norm: float, grads: list[Tensor]) -> dict[str, Any]:
    # The largest element of nothing is an error in PyTorch; there is nothing to learn from an empty gradient.
    kept = [g for g in grads if g.numel() > 0]
    params = parameters(kept)
    total = clip_grad_norm_(params, max_norm, norm_type)
    again = parameters(kept)
    norm = get_total_norm([p.grad for p in again], norm_type)
    clip_grads_with_norm_(again, max_norm, norm)
    assert all(torch.equal(a.grad, b.grad) or torch.isnan(a.grad).any() for a, b in zip(params, again, strict=True))
    return encode(
        {
            "kind": "norm",
            "dtype": dtype,
            "normType": norm_type,
            "maxNorm": max_norm,
            "grads": kept,
            "total": total,
            "after": [p.grad for p in params],
        }
    )


def with_specials() -> list[dict[str, Any]]:
    cases = []
    for special in (math.nan, math.inf):
        grads = gradients("special", F32, [(2, 3), (6,), (4,)])
        grads[1][2] = special
        cases += [by_norm(F32, p, 1.0, grads) for p in (1.0, 2.0, math.inf)]
    return cases


def by_value(dtype: torch.dtype, clip_value: float) -> dict[str, Any]:
    grads = gradients("value", dtype)
    grads[0][0, 0] = math.nan
    grads[1][0, 0] = -math.inf
    params = parameters(grads)
    clip_grad_value_(params, clip_value)
    after = [p.grad for p in params]
    return encode({"kind": "value", "dtype": dtype, "clipValue": clip_value, "grads": grads, "after": after})


def adaptive(shape: tuple[int, ...], clip_factor: float) -> dict[str, Any]:
    """optax takes inputs first: axes are turned round on the way in and out."""
    values = Values(f"clip/adaptive/{shape}")
    p, g = values.real(*shape, dtype=F32), values.real(*shape, dtype=F32)
    if len(shape) > 1:
        p[0] = 0
        g[-1] *= 1e-4
    clip = optax.adaptive_grad_clip(clip_factor)
    turned = [jnp.asarray(np.ascontiguousarray(t.numpy().T)) for t in (p, g)]
    updates, _ = clip.update(turned[1], clip.init(turned[0]), turned[0])
    after = torch.tensor(np.ascontiguousarray(np.asarray(updates).T))
    return encode({"kind": "adaptive", "clipFactor": clip_factor, "param": p, "grad": g, "after": after})


def vector() -> dict[str, Any]:
    params = gradients("vector", F32)
    return encode({"kind": "vector", "params": params, "vector": parameters_to_vector(params)})


def record() -> None:
    norms = [
        by_norm(dtype, p, max_norm, gradients("norm", dtype))
        for dtype in (F32, F64)
        for p in (*NORM_TYPES, -math.inf)
        for max_norm in (0.5, 100.0)
    ]
    values = [by_value(dtype, v) for dtype in (F32, F64) for v in (0.25, 0.0)]
    units = [adaptive(shape, f) for shape in ((4, 6), (3, 2, 3, 3), (5,)) for f in (0.01, 0.5)]
    write("optim-clip", [*norms, *with_specials(), *values, *units, vector()])
