"""Encoding of tensors and cases, and the recorder every family uses."""

from __future__ import annotations

import os

# One code path on every x86-64 machine, so that regenerating gives identical files.
os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx2")
os.environ.setdefault("MKL_CBWR", "AVX2")
os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")

import json
import math
import warnings
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

FIXTURES = Path(__file__).parent / "fixtures"

F64, F32, F16, BF16 = torch.float64, torch.float32, torch.float16, torch.bfloat16
I64, I32, U8, BOOL = torch.int64, torch.int32, torch.uint8, torch.bool
DTYPES = [F32, F64, F16, BF16, I32, I64, U8, BOOL]


class Raw(str):
    """Text that is already JSON."""


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def number(value: float, single: bool = False) -> str:
    """The shortest JSON text that reads back to the same value."""
    if math.isnan(value):
        return '"nan"'
    if math.isinf(value):
        return '"inf"' if value > 0 else '"-inf"'
    if value == 0:
        return '"-0"' if math.copysign(1.0, value) < 0 else "0"
    text = str(np.float32(value)) if single else repr(float(value))
    return text.removesuffix(".0").replace("e+", "e")


def encode_data(t: torch.Tensor) -> Raw:
    flat = t.detach().reshape(-1)
    if t.dtype == F64:
        items = [number(v) for v in flat.tolist()]
    elif t.dtype.is_floating_point:
        items = [number(v, single=True) for v in flat.to(F32).tolist()]
    else:
        items = [str(int(v)) for v in flat.tolist()]
    return Raw("[" + ",".join(items) + "]")


def encode(value: Any) -> Any:
    """Tensors, and anything that holds them, as plain JSON values."""
    if isinstance(value, torch.Tensor):
        if value.layout == torch.sparse_coo:
            return {
                "dtype": dtype_name(value.dtype),
                "shape": list(value.shape),
                "indices": encode_data(value._indices()),
                "nnz": value._nnz(),
                "values": encode_data(value._values()),
            }
        out: dict[str, Any] = {
            "dtype": dtype_name(value.dtype),
            "shape": list(value.shape),
            "data": encode_data(value),
        }
        layout = getattr(value, "fixture_layout", None)
        if layout is not None:
            out["layout"] = layout
        return out
    if isinstance(value, torch.dtype):
        return dtype_name(value)
    if isinstance(value, float):
        return Raw(number(value))
    if isinstance(value, dict):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, torch.Size)):
        return [encode(v) for v in value]
    return value


def dumps(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{dumps(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dumps(v) for v in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write(name: str, cases: list[Any], **extra: Any) -> None:
    """One case per line, so that a changed case is a changed line."""
    head = {"torch": torch.__version__, **extra}
    lines = ",\n".join(dumps(encode(c)) for c in cases)
    text = dumps(encode(head))[:-1] + ',"cases":[\n' + lines + "\n]}\n"
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"{name}.json").write_text(text, encoding="utf-8")
    print(f"{name}.json: {len(cases)} cases, {len(text) / 1024:.0f} KiB")


def permuted(t: torch.Tensor, dims: Sequence[int]) -> torch.Tensor:
    """The same values, held so that `t = base.permute(dims)` of a contiguous base."""
    inverse = [list(dims).index(i) for i in range(t.dim())]
    out = t.permute(inverse).contiguous().permute(list(dims))
    out.fixture_layout = {"permute": list(dims)}  # type: ignore[attr-defined]
    return out


def sliced(t: torch.Tensor, dim: int, start: int = 1, step: int = 2) -> torch.Tensor:
    """The same values, held as `base.slice(dim, start, end, step)` of a larger base filled with 77."""
    shape = list(t.shape)
    length = shape[dim]
    shape[dim] = start + length * step
    base = torch.full(shape, 77, dtype=t.dtype)
    index = torch.arange(length) * step + start
    base.index_copy_(dim, index, t)
    view = base[(slice(None),) * dim + (slice(start, start + length * step, step),)]
    view.fixture_layout = {"slice": {"dim": dim, "start": start, "step": step}}  # type: ignore[attr-defined]
    return view


def expanded(t: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """A view with stride 0 over the dimensions where `t` has size 1."""
    out = t.expand(*shape)
    out.fixture_layout = {"expand": [i for i in range(len(shape)) if out.stride(i) == 0]}  # type: ignore[attr-defined]
    return out


class Values:
    """Reproducible inputs: decimals of three digits, which are short in JSON and inexact in binary."""

    def __init__(self, seed: str) -> None:
        self.rng = np.random.RandomState(zlib.crc32(seed.encode()))

    def real(self, *shape: int, dtype: torch.dtype = F64, lo: float = -2.0, hi: float = 2.0) -> torch.Tensor:
        raw = np.round(self.rng.uniform(lo, hi, size=shape), 3)
        return torch.tensor(raw, dtype=F64).to(dtype)

    def integers(self, *shape: int, dtype: torch.dtype = I64, lo: int = -5, hi: int = 6) -> torch.Tensor:
        return torch.tensor(self.rng.randint(lo, hi, size=shape)).to(dtype)

    def distinct(self, *shape: int, dtype: torch.dtype = F64) -> torch.Tensor:
        """No ties: for sorting and for maxima whose gradient must be unambiguous."""
        n = int(np.prod(shape))
        raw = (self.rng.permutation(n) - n // 2) / 8 + 0.0625
        return torch.tensor(raw, dtype=F64).reshape(shape).to(dtype)

    def of(self, *shape: int, dtype: torch.dtype) -> torch.Tensor:
        """Any dtype, small values that survive it."""
        if dtype == BOOL:
            return self.integers(*shape, lo=0, hi=2).to(BOOL)
        if dtype == U8:
            return self.integers(*shape, lo=0, hi=9).to(U8)
        if not dtype.is_floating_point:
            return self.integers(*shape, dtype=dtype)
        return self.real(*shape, dtype=dtype)


def gradient_for(t: torch.Tensor) -> torch.Tensor:
    """Output gradients: dyadic, never zero, different in neighbouring places."""
    i = torch.arange(t.numel(), dtype=F64)
    return (((i * 5 + 3) % 8 - 3.5) / 4).to(t.dtype).reshape(t.shape)


def _map(value: Any, f: Callable[[torch.Tensor], Any]) -> Any:
    if isinstance(value, torch.Tensor):
        return f(value)
    if isinstance(value, (list, tuple)):
        return [_map(v, f) for v in value]
    return value


def _leaf(t: torch.Tensor) -> torch.Tensor:
    return t.detach().requires_grad_() if t.dtype.is_floating_point else t


class Recorder:
    def __init__(self) -> None:
        self.cases: list[Any] = []

    def add(
        self,
        op: str,
        fn: Callable[..., Any],
        *inputs: Any,
        options: dict[str, Any] | None = None,
        grad: bool | None = None,
        gradient: Callable[[torch.Tensor], torch.Tensor] = gradient_for,
        **extra: Any,
    ) -> None:
        """Run `fn(*inputs)`. Gradients are recorded for float64 unless `grad` says otherwise."""
        case: dict[str, Any] = {"op": op, **extra, "inputs": encode(list(inputs))}
        if options:
            case["options"] = encode(options)
        if grad is None:
            grad = any_dtype(inputs, F64)
        leaves: list[torch.Tensor] = []

        def collect(t: torch.Tensor) -> torch.Tensor:
            leaf = _leaf(t) if grad else t.detach()
            leaves.append(leaf)
            return leaf

        live = _map(list(inputs), collect)
        try:
            result = fn(*live)
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as error:
            case["error"] = True
            case["reason"] = str(error).split("\n")[0][:160]
            self.cases.append(case)
            return
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        case["outputs"] = encode([o.detach() if isinstance(o, torch.Tensor) else o for o in outputs])
        if grad:
            active = [o for o in outputs if isinstance(o, torch.Tensor) and o.requires_grad]
            wanted = [t for t in leaves if t.requires_grad]
            if active and wanted:
                seeds = [gradient(o) for o in active]
                try:
                    found = iter(torch.autograd.grad(active, wanted, seeds, allow_unused=True))
                except RuntimeError as error:
                    case["gradError"] = str(error).split("\n")[0][:160]
                    self.cases.append(case)
                    return
                by_id = {id(t): next(found) for t in wanted}
                case["gradOutputs"] = encode(
                    [
                        seeds[[a is o for a in active].index(True)] if any(a is o for a in active) else None
                        for o in outputs
                    ]
                )
                case["grads"] = encode(_map(live, lambda t: by_id.get(id(t))))
        self.cases.append(case)

    def both(self, op: str, fn: Callable[..., Any], make: Callable[[torch.dtype], Sequence[Any]], **kw: Any) -> None:
        """The same case in float64, with gradients, and in float32."""
        for dtype in (F64, F32):
            self.add(op, fn, *make(dtype), **kw)


def any_dtype(inputs: Any, dtype: torch.dtype) -> bool:
    found = False

    def look(t: torch.Tensor) -> torch.Tensor:
        nonlocal found
        found = found or t.dtype == dtype
        return t

    _map(list(inputs), look)
    return found
