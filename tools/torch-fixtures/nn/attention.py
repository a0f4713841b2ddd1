"""Scaled dot-product attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from lib import Recorder, Values, write
from nn.names import snake


def record_attention() -> None:
    r = Recorder()
    v = Values("attention")
    sizes = lambda d: [v.real(2, 3, 4, dtype=d), v.real(2, 5, 4, dtype=d), v.real(2, 5, 2, dtype=d)]
    square = lambda d: [v.real(1, 2, 3, 4, dtype=d) for _ in range(3)]
    partly = torch.tensor([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)

    def case(make, options=None, mask=None):
        o = options or {}

        def call(*args):
            return F.scaled_dot_product_attention(*args[:3], attn_mask=args[3] if len(args) > 3 else None, **snake(o))

        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            r.both("attention", call, lambda d: [*make(d), *([] if mask is None else [mask(d)])], options=o)

    case(sizes)
    case(square)
    case(sizes, {"scale": 0.3})
    case(square, {"isCausal": True})
    case(sizes, {"isCausal": True})
    case(sizes, mask=lambda d: v.real(3, 5, dtype=d))
    case(sizes, mask=lambda _: partly)
    write("nn-attention", r.cases)
