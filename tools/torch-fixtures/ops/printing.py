"""What `str(tensor)` prints."""

from __future__ import annotations

import torch

from lib import BF16, F16, F32, F64, I32, U8, Values, write

NAN, INF = float("nan"), float("inf")


def samples() -> list[torch.Tensor]:
    v = Values("printing")
    t = torch.tensor
    return [
        t(3), t(3.5), t(3.0), t(True), t(NAN), t(-INF), t(1e10), t(1e-5), t(0.0), t(-0.0), t(123456789), t(2.0, dtype=F64), t(5, dtype=I32),
        t([1, 2, 3]), t([-1, 20, 300]), t([True, False]), t([1, 2], dtype=I32), t([1, 200], dtype=U8),
        t([1.0, 2.0, 3.0]), t([1.0, -2.0]), t([1.5, 2.25]), t([1.5, -20.25, 300]), t([0.1, 0.2], dtype=F64), t([1.0, 2.0], dtype=F16), t([0.1, 0.25], dtype=BF16),
        t([1e-8, 1.0]), t([1e5, 1.0]), t([1e8, 1e-8, -1.0]), t([1e8, 2e8]), t([99999999.0, 1.0]), t([1000.5, 0.5]), t([1e4, 1e-4]), t([12345.678, 0.5]), t([1e-5, 2e-5]),
        t([1.0, 100000.0]), t([1.0, 1e8]), t([1e9, 1.0, 2.0]), t([0.00012, 0.5]), t([1e-45, 1.0]), t([3.4e38, 1.0]),
        t([1.0, NAN]), t([1.5, NAN, INF, -INF]), t([NAN, INF]), t([INF, 1.0, -2.0]), t([0.0, -0.0]),
        torch.zeros(0), torch.zeros(0, dtype=torch.int64), torch.zeros(2, 0), torch.zeros(0, 3, dtype=F64), torch.zeros(0, dtype=torch.bool),
        torch.zeros(2, 3), torch.ones(1, 1), torch.arange(6).reshape(2, 3), v.real(2, 3, dtype=F32), v.real(3, 2), v.real(2, 2, 3, dtype=F32), v.real(2, 1, 2, 2, dtype=F32),
        v.integers(2, 3, lo=-100, hi=100), torch.arange(24).reshape(2, 3, 4), v.of(2, 3, dtype=torch.bool), torch.arange(1000), torch.arange(30), torch.arange(40, dtype=F32) / 7,
        torch.arange(1001), torch.arange(1200, dtype=F32).reshape(30, 40), torch.arange(1001, dtype=F32) / 3, torch.arange(2002).reshape(2, 1001), torch.arange(2002).reshape(1001, 2),
        torch.arange(1800).reshape(10, 9, 20), torch.zeros(1001, dtype=torch.bool), torch.full((1001,), 0.5, dtype=F64), torch.ones(7, 1, 150),
    ]  # fmt: skip


def described(t: torch.Tensor) -> dict[str, object]:
    """Large tensors are given by a rule rather than by their elements."""
    if t.numel() <= 100:
        return {"tensor": t}
    flat = t.reshape(-1)
    if bool((flat == flat[0]).all()):
        return {"shape": list(t.shape), "dtype": t.dtype, "fill": flat[0].item()}
    for divisor in (1, 3):
        ramp = torch.arange(t.numel(), dtype=t.dtype)
        if torch.equal(ramp if divisor == 1 else ramp / divisor, flat):
            return {"shape": list(t.shape), "dtype": t.dtype, "rampOver": divisor}
    raise ValueError("a large sample needs a rule")


def record() -> None:
    cases: list[dict[str, object]] = [{**described(t), "text": str(t)} for t in samples()]
    tracked = torch.tensor([1.0, 2.0], requires_grad=True)
    cases.append({"tensor": tracked.detach(), "requiresGrad": True, "text": str(tracked)})
    cases.append({"tensor": (tracked * 2).detach(), "gradFn": "MulBackward0", "text": str(tracked * 2)})
    parameter = torch.nn.Parameter(torch.tensor([[1.0, 2.0]]))
    cases.append({"tensor": parameter.detach(), "parameter": True, "text": str(parameter)})
    write("printing", cases)
