"""Operations that rearrange elements without computing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib import BOOL, F32, F64, I64, U8, Recorder, Values, expanded, permuted, sliced, write

# op -> (function of (tensor, options), [(shape, options)…]); a case PyTorch refuses is recorded as an error.
Case = tuple[tuple[int, ...], dict[str, Any]]
VIEWS: dict[str, tuple[Callable[[Tensor, dict[str, Any]], Any], list[Case]]] = {
    "reshape": (
        lambda x, o: x.reshape(o["shape"]),
        [
            ((2, 6), {"shape": [3, 4]}), ((2, 6), {"shape": [-1]}), ((2, 6), {"shape": [2, -1, 3]}), ((), {"shape": [1, 1]}),
            ((1,), {"shape": []}), ((0, 3), {"shape": [3, 0]}), ((0, 3), {"shape": [0]}), ((2, 3), {"shape": [4, -1]}),
            ((2, 3), {"shape": [-1, -1]}), ((2, 3), {"shape": [5]}), ((0, 3), {"shape": [-1, 0]}), ((2, 3), {"shape": [-2, 3]}),
        ],
    ),
    "flatten": (
        lambda x, o: torch.flatten(x, o.get("startDim", 0), o.get("endDim", -1)),
        [((2, 3, 4), {}), ((2, 3, 4), {"startDim": 1}), ((2, 3, 4), {"endDim": 1}), ((2, 3, 4), {"startDim": 1, "endDim": 1}),
         ((), {}), ((2, 0, 3), {}), ((2, 3), {"startDim": 1, "endDim": 0}), ((2, 3), {"startDim": 2})],
    ),
    "unflatten": (lambda x, o: x.unflatten(o["dim"], o["sizes"]), [((2, 6), {"dim": 1, "sizes": [2, 3]}), ((6, 2), {"dim": 0, "sizes": [-1, 3]}), ((5,), {"dim": 0, "sizes": [2, 3]})]),
    "permute": (
        lambda x, o: x.permute(o["dims"]),
        [((2, 3, 4), {"dims": [2, 0, 1]}), ((2, 3, 4), {"dims": [0, -1, 1]}), ((), {"dims": []}), ((2, 0), {"dims": [1, 0]}),
         ((2, 3), {"dims": [0, 0]}), ((2, 3), {"dims": [0]}), ((2, 3), {"dims": [0, 2]})],
    ),
    "transpose": (
        lambda x, o: x.transpose(o["dim0"], o["dim1"]),
        [((2, 3, 4), {"dim0": 0, "dim1": 1}), ((2, 3, 4), {"dim0": -1, "dim1": 0}), ((), {"dim0": 0, "dim1": 0}), ((2, 3), {"dim0": 0, "dim1": 2})],
    ),
    "t": (lambda x, o: x.t(), [((2, 3), {}), ((3,), {}), ((), {}), ((2, 3, 4), {})]),
    "squeeze": (
        lambda x, o: x.squeeze() if "dim" not in o else x.squeeze(tuple(o["dim"]) if isinstance(o["dim"], list) else o["dim"]),
        [((1, 2, 1), {}), ((1, 2, 1), {"dim": 0}), ((1, 2, 1), {"dim": 1}), ((1, 2, 1), {"dim": [0, -1]}), ((), {}), ((), {"dim": 0}), ((1, 0), {}), ((1, 2), {"dim": 2})],
    ),
    "unsqueeze": (lambda x, o: x.unsqueeze(o["dim"]), [((2, 3), {"dim": 0}), ((2, 3), {"dim": -1}), ((2, 3), {"dim": 2}), ((), {"dim": 0}), ((2, 3), {"dim": 3}), ((2, 3), {"dim": -4})]),
    "expand": (
        lambda x, o: x.expand(o["shape"]),
        [((3, 1), {"shape": [3, 4]}), ((1, 3), {"shape": [2, -1]}), ((3,), {"shape": [2, 2, 3]}), ((), {"shape": [2]}), ((1,), {"shape": [0]}),
         ((2, 3), {"shape": [2, 4]}), ((3,), {"shape": [-1, 3]}), ((2, 3), {"shape": [3]})],
    ),
    "movedim": (lambda x, o: torch.movedim(x, o["source"], o["destination"]), [((2, 3, 4), {"source": 0, "destination": -1}), ((2, 3, 4), {"source": [0, 1], "destination": [2, 0]}), ((2, 3), {"source": [0, 0], "destination": [0, 1]})]),
    "narrow": (
        lambda x, o: x.narrow(o["dim"], o["start"], o["length"]),
        [((4, 5), {"dim": 1, "start": 1, "length": 3}), ((4, 5), {"dim": 0, "start": -2, "length": 2}), ((4, 5), {"dim": 0, "start": 2, "length": 0}), ((4,), {"dim": 0, "start": 4, "length": 0}),
         ((4,), {"dim": 0, "start": 3, "length": 2}), ((4,), {"dim": 0, "start": -5, "length": 1}), ((4,), {"dim": 0, "start": 0, "length": -1})],
    ),
    "select": (lambda x, o: x.select(o["dim"], o["index"]), [((3, 4), {"dim": 0, "index": 1}), ((3, 4), {"dim": 1, "index": -1}), ((3,), {"dim": 0, "index": 2}), ((3, 4), {"dim": 0, "index": 3}), ((3, 4), {"dim": 0, "index": -4}), ((), {"dim": 0, "index": 0})]),
    "slice": (
        lambda x, o: x[(slice(None),) * o.get("dim", 0) + (slice(o.get("start"), o.get("end"), o.get("step")),)],
        [((6, 2), {"start": 1, "end": 4}), ((6, 2), {"start": 0, "end": 6, "step": 2}), ((2, 6), {"dim": 1, "start": -3}), ((2, 6), {"dim": 1, "end": -2}),
         ((6,), {"start": 1, "step": 3}), ((6,), {"start": 4, "end": 2}), ((6,), {"start": -99, "end": 99}), ((6,), {"start": 7}), ((6,), {"step": 0}), ((6,), {"step": -1})],
    ),
    "flip": (lambda x, o: x.flip(o["dims"]), [((2, 3), {"dims": [0]}), ((2, 3), {"dims": [0, -1]}), ((2, 3), {"dims": []}), ((0, 2), {"dims": [0]}), ((2, 3), {"dims": [1, 1]})]),
    "roll": (
        lambda x, o: torch.roll(x, o["shifts"], o.get("dims")),
        [((2, 4), {"shifts": 1}), ((2, 4), {"shifts": -1, "dims": 1}), ((2, 4), {"shifts": 5, "dims": 1}), ((2, 4), {"shifts": [1, 2], "dims": [0, 1]}), ((0, 3), {"shifts": 1, "dims": 0}), ((2, 3), {"shifts": [1, 2], "dims": 0})],
    ),
    "pad": (
        lambda x, o: F.pad(x, o["pad"], value=o.get("value")),
        [((2, 3), {"pad": [1, 2]}), ((2, 3), {"pad": [1, 0, 0, 2], "value": -1.5}), ((2, 3), {"pad": [-1, 0]}), ((2, 3), {"pad": [-1, 1, 1, -1], "value": 9}), ((3,), {"pad": [0, 0]}),
         ((2, 3), {"pad": [-2, -1]}), ((2, 3), {"pad": [-2, -2]}), ((2, 3), {"pad": [1]}), ((3,), {"pad": [1, 1, 1, 1]}), ((0, 2), {"pad": [0, 0, 1, 1], "value": 3})],
    ),
    "tril": (lambda x, o: torch.tril(x, o.get("diagonal", 0)), [((3, 4), {}), ((3, 4), {"diagonal": 1}), ((4, 3), {"diagonal": -2}), ((2, 3, 3), {}), ((3, 3), {"diagonal": 9}), ((3, 3), {"diagonal": -9}), ((0, 3), {}), ((3,), {})]),
    "triu": (lambda x, o: torch.triu(x, o.get("diagonal", 0)), [((3, 4), {}), ((3, 4), {"diagonal": 1}), ((4, 3), {"diagonal": -2}), ((2, 3, 3), {}), ((3, 3), {"diagonal": 9}), ((0, 3), {}), ((3,), {})]),
    "diag": (lambda x, o: torch.diag(x, o.get("diagonal", 0)), [((3,), {}), ((3,), {"diagonal": 1}), ((3, 4), {}), ((3, 4), {"diagonal": -1}), ((0,), {}), ((2, 2, 2), {})]),
    "diagonal": (lambda x, o: torch.diagonal(x, o.get("offset", 0), o.get("dim1", 0), o.get("dim2", 1)), [((3, 4), {}), ((3, 4), {"offset": 2}), ((2, 3, 3), {"dim1": 1, "dim2": 2}), ((2, 3), {"offset": 5})]),
    "repeat": (lambda x, o: x.repeat(o["repeats"]), [((2, 3), {"repeats": [2, 1]}), ((3,), {"repeats": [2, 2]}), ((), {"repeats": [3]}), ((2, 3), {"repeats": [0, 1]}), ((2, 3), {"repeats": [2]})]),
    "tile": (lambda x, o: torch.tile(x, o["repeats"]), [((2, 3), {"repeats": [2]}), ((3,), {"repeats": [2, 2]})]),
    "repeatInterleave": (lambda x, o: torch.repeat_interleave(x, o["repeats"], dim=o.get("dim")), [((2, 3), {"repeats": 2}), ((2, 3), {"repeats": 2, "dim": 1})]),
    "unfold": (lambda x, o: x.unfold(o["dim"], o["size"], o["step"]), [((5,), {"dim": 0, "size": 3, "step": 1}), ((2, 6), {"dim": 1, "size": 2, "step": 2}), ((3,), {"dim": 0, "size": 4, "step": 1})]),
    "split": (
        lambda x, o: torch.split(x, o["splitSize"], o.get("dim", 0)),
        [((5, 2), {"splitSize": 2}), ((2, 6), {"splitSize": 3, "dim": 1}), ((2, 6), {"splitSize": [1, 2, 3], "dim": -1}), ((3,), {"splitSize": [3, 0]}), ((0,), {"splitSize": 2}), ((4,), {"splitSize": [1, 2]}), ((4,), {"splitSize": 0}), ((), {"splitSize": 1})],
    ),
    "chunk": (lambda x, o: torch.chunk(x, o["chunks"], o.get("dim", 0)), [((5, 2), {"chunks": 2}), ((2, 7), {"chunks": 3, "dim": 1}), ((5,), {"chunks": 4}), ((2,), {"chunks": 5}), ((0,), {"chunks": 2}), ((2,), {"chunks": 0})]),
    "unbind": (lambda x, o: torch.unbind(x, o.get("dim", 0)), [((2, 3), {}), ((2, 3), {"dim": 1}), ((), {})]),
}  # fmt: skip


def record_views() -> None:
    r = Recorder()
    for op, (fn, cases) in VIEWS.items():
        v = Values(op)
        for shape, options in cases:
            r.add(op, lambda x: fn(x, options), v.real(*shape), options=options)
        shape, options = cases[0]
        for dtype in (F32, I64, U8, BOOL):
            r.add(op, lambda x: fn(x, options), v.of(*shape, dtype=dtype), options=options)
        if len(shape) > 1:
            reverse = list(range(len(shape)))[::-1]
            r.add(op, lambda x: fn(x, options), permuted(v.real(*shape), reverse), options=options)
            r.add(op, lambda x: fn(x, options), sliced(v.real(*shape), 1), options=options)
            r.add(op, lambda x: fn(x, options), expanded(v.real(1, *shape[1:]), shape), options=options)
    r.add("pad", lambda x: F.pad(x, [1, 1], value=2.5), torch.arange(3), options={"pad": [1, 1], "value": 2.5})
    write("shapes-views", r.cases)


def record_pad_modes() -> None:
    r = Recorder()
    v = Values("pad modes")
    for mode in ("reflect", "replicate", "circular"):
        for shape, pad in (
            ((2, 5), [2, 1]),
            ((1, 4, 5), [1, 2]),
            ((2, 3, 4, 5), [1, 2, 3, 0]),
            ((1, 2, 3, 4, 5), [1, 1, 2, 0, 1, 1]),
            ((2, 3), [3, 0]),
            ((2, 3), [4, 0]),
            ((2, 3), [1, 1, 1]),
        ):
            options = {"pad": pad, "mode": mode}
            r.add("pad", lambda x: F.pad(x, pad, mode=mode), v.real(*shape), options=options)
    r.add("pad", lambda x: F.pad(x, [1, 1], mode="mirror"), v.real(2, 3), options={"pad": [1, 1], "mode": "mirror"})
    write("shapes-pad-modes", r.cases)


def record_joins() -> None:
    r = Recorder()
    v = Values("joins")
    cat: list[tuple[list[tuple[int, ...]], int]] = [
        ([(2, 3), (1, 3)], 0), ([(2, 3), (2, 1), (2, 2)], 1), ([(2, 3), (2, 3)], -1), ([(3,), (0,), (2,)], 0), ([(2, 3), (0,)], 1), ([(0, 3), (2, 3)], 0),
        ([(2, 3), (2, 2)], 0), ([(2, 3), (3,)], 0), ([(), ()], 0), ([(2,), (2,)], 1), ([(2, 0), (2, 3)], 1), ([(2,)], 0), ([], 0),
    ]  # fmt: skip
    for shapes, dim in cat:
        r.add("cat", lambda xs: torch.cat(xs, dim), [v.real(*s) for s in shapes], options={"dim": dim})
    stack: list[tuple[list[tuple[int, ...]], int]] = [
        ([(2, 3), (2, 3)], 0), ([(2, 3), (2, 3), (2, 3)], 1), ([(2, 3), (2, 3)], -1), ([(), ()], 0), ([(0,), (0,)], 1), ([(2,), (3,)], 0), ([(2,), (2,)], 2), ([], 0),
    ]  # fmt: skip
    for shapes, dim in stack:
        r.add("stack", lambda xs: torch.stack(xs, dim), [v.real(*s) for s in shapes], options={"dim": dim})
    for op, fn in (("cat", torch.cat), ("stack", torch.stack)):
        for a, b in ((F32, F64), (I64, F32), (BOOL, U8), (U8, I64), (BOOL, BOOL), (F32, F32)):
            r.add(op, lambda xs: fn(xs, 0), [v.of(2, dtype=a), v.of(2, dtype=b)], options={"dim": 0}, grad=False)
        r.add(op, lambda xs: fn(xs, 1), [permuted(v.real(2, 3), [1, 0]), sliced(v.real(2, 3), 0)], options={"dim": 1})
    for indexing in ("ij", "xy"):
        for shapes in ([(2,), (3,)], [(2,), (3,), (2,)], [(2,)], [(), (2,)]):
            r.add(
                "meshgrid",
                lambda xs: torch.meshgrid(*xs, indexing=indexing),
                [v.real(*s) for s in shapes],
                options={"indexing": indexing},
            )
    write("shapes-joins", r.cases)


def record() -> None:
    record_views()
    record_pad_modes()
    record_joins()
