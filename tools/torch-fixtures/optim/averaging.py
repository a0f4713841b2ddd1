"""Averaged models, with and without buffers, and batch norm statistics recomputed for one."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from lib import F32, F64, I64, Values, encode, write

UPDATES = 8


class Net(nn.Module):
    """Parameters and buffers, an integer one among them."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, 3, dtype=dtype))
        self.bias = nn.Parameter(torch.zeros(3, dtype=dtype))
        self.register_buffer("running", torch.zeros(4, dtype=dtype))
        self.register_buffer("count", torch.zeros((), dtype=I64))


def averaged(dtype: torch.dtype, kind: str, decay: float, use_buffers: bool) -> dict[str, Any]:
    net = Net(dtype)
    # The multi-tensor mean rounds its weights to float32, and refuses integers: the default function does neither.
    functions: dict[str, Any] = {"ema": {"multi_avg_fn": get_ema_multi_avg_fn(decay)}, "swa": {}}
    model = AveragedModel(net, use_buffers=use_buffers, **functions[kind])
    values = Values(f"averaging/{kind}")
    given, after = [], []
    for k in range(UPDATES):
        with torch.no_grad():
            for tensor in (net.weight, net.bias, net.running):
                tensor.copy_(values.real(*tensor.shape, dtype=dtype))
            net.count.fill_([5, 6, 20, 21, 40, 3, 0, 100][k])
        model.update_parameters(net)
        given.append({key: t.clone() for key, t in net.state_dict().items()})
        after.append({key: t.clone() for key, t in model.state_dict().items()})
    return encode(
        {
            "kind": kind,
            "dtype": dtype,
            "decay": decay,
            "useBuffers": use_buffers,
            "given": given,
            # The first, the second and the last say it all.
            "after": [after[0], after[1], after[-1]],
        }
    )


def batch_norm() -> dict[str, Any]:
    """Statistics over all batches, equal shares; `momentum` and the mode are restored."""
    values = Values("averaging/batch-norm")
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2), nn.BatchNorm1d(2))
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(values.real(*p.shape, dtype=F32))
    before = {key: t.clone() for key, t in net.state_dict().items()}
    batches = [values.real(6, 3, dtype=F32) for _ in range(3)]
    net.train()
    for x in batches:
        net(x)
    net.eval()
    update_bn([(x, None) for x in batches], net)
    assert net[1].momentum == 0.1 and not net.training
    return encode({"kind": "batch norm", "before": before, "batches": batches, "after": net.state_dict()})


def record() -> None:
    cases = [
        averaged(dtype, kind, decay, use_buffers)
        for dtype in (F32, F64)
        for kind, decay in (("swa", 0.0), ("ema", 0.9), ("ema", 0.5))
        for use_buffers in (False, True)
    ]
    write("optim-averaging", [*cases, batch_norm()])
