"""Reading and writing by index, ordering, uniqueness."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib import BF16, BOOL, F16, F32, F64, I32, I64, U8, Recorder, Values, permuted, sliced, write

NAN, INF = float("nan"), float("inf")


def record_gather() -> None:
    r = Recorder()
    v = Values("gather")
    ix = lambda *s, hi: v.integers(*s, lo=0, hi=hi)

    def gather(dim: int, x: Tensor, i: Tensor) -> None:
        r.add("gather", lambda a, b: torch.gather(a, dim, b), x, i, options={"dim": dim})

    gather(0, v.real(3, 4), ix(2, 4, hi=3))
    gather(1, v.real(3, 4), ix(3, 6, hi=4))
    gather(-1, v.real(2, 3, 4), ix(1, 2, 3, hi=4))
    gather(1, permuted(v.real(3, 4), [1, 0]), permuted(ix(3, 2, hi=4), [1, 0]))
    gather(0, v.real(4), ix(6, hi=4))
    gather(0, v.real(), torch.tensor(0))
    gather(0, v.real(3), torch.zeros(0, dtype=I64))
    for dtype in (F32, I32, U8, BOOL):
        gather(0, v.of(3, 2, dtype=dtype), ix(2, 2, hi=3))
    gather(0, v.real(3), ix(2, hi=3).to(I32))
    gather(0, v.real(3), torch.tensor([3]))
    gather(0, v.real(3), torch.tensor([-1]))
    gather(0, v.real(3, 2), ix(2, 3, hi=3))
    gather(0, v.real(3), torch.tensor([0.0]))
    gather(2, v.real(3, 2), ix(2, 2, hi=2))

    def index_select(dim: int, x: Tensor, i: Tensor) -> None:
        r.add("indexSelect", lambda a, b: torch.index_select(a, dim, b), x, i, options={"dim": dim})

    index_select(0, v.real(3, 4), torch.tensor([2, 0, 0]))
    index_select(1, v.real(3, 4), torch.tensor([3, 1]))
    index_select(-1, v.real(2, 2, 3), torch.tensor([2, 2], dtype=I32))
    index_select(0, permuted(v.real(3, 4), [1, 0]), torch.tensor([1]))
    index_select(0, v.real(3), torch.zeros(0, dtype=I64))
    index_select(0, v.real(3), torch.tensor(1))
    index_select(0, v.real(), torch.tensor([0, 0]))
    for dtype in (F32, I32, U8, BOOL):
        index_select(0, v.of(3, 2, dtype=dtype), torch.tensor([1, 2, 1]))
    index_select(0, v.real(3), torch.tensor([3]))
    index_select(0, v.real(3), torch.tensor([-1]))
    index_select(0, v.real(3), torch.tensor([[1]]))

    take_along = lambda a, b: torch.take_along_dim(a, b, 1)
    r.add("takeAlongDim", take_along, v.real(3, 4), torch.tensor([[0], [3], [1]]), options={"dim": 1})
    r.add("maskedSelect", torch.masked_select, v.real(2, 3), torch.tensor([[True, False, True], [False, False, True]]))
    r.add("maskedSelect", torch.masked_select, v.real(2, 3), torch.tensor([True, False, True]))
    for value in (0, -1.5, -INF):
        fill = lambda x, m: x.masked_fill(m, value)
        r.both("maskedFill", fill, lambda d: [v.real(2, 3, dtype=d), v.of(2, 3, dtype=BOOL)], options={"value": value})
    fill = lambda x, m: x.masked_fill(m, 7)
    for x, m in (
        (v.real(2, 3), v.of(3, dtype=BOOL)),
        (v.real(2, 1), v.of(2, 3, dtype=BOOL)),
        (v.integers(3), v.of(3, dtype=BOOL)),
        (v.real(0, 2), v.of(2, dtype=BOOL)),
        (permuted(v.real(2, 3), [1, 0]), v.of(2, 3, dtype=BOOL)),
        (v.real(3), v.integers(3)),
    ):
        r.add("maskedFill", fill, x, m, options={"value": 7})
    r.add("maskedFill", lambda x, m: x.masked_fill(m, 1.5), v.integers(3), v.of(3, dtype=BOOL), options={"value": 1.5})
    write("indexing-gather", r.cases)


def record_scatter() -> None:
    r = Recorder()
    v = Values("scatter")

    def scatter(dim: int, x: Tensor, i: Tensor, src: Any) -> None:
        r.add("scatter", lambda a, b, c: torch.scatter(a, dim, b, c), x, i, src, options={"dim": dim})

    def scatter_add(dim: int, x: Tensor, i: Tensor, src: Tensor) -> None:
        r.add("scatterAdd", lambda a, b, c: torch.scatter_add(a, dim, b, c), x, i, src, options={"dim": dim})

    distinct = torch.tensor([[2, 0, 1], [0, 2, 3]])
    scatter(1, v.real(2, 4), distinct, v.real(2, 3))
    scatter(0, v.real(4, 3), torch.tensor([[3, 0, 1], [0, 1, 2]]), v.real(2, 3))
    scatter(1, v.real(2, 4), distinct, v.real(3, 5))
    scatter(1, v.real(2, 4), distinct, 0.5)
    scatter(0, v.real(4), torch.zeros(0, dtype=I64), v.real(3))
    scatter(0, v.real(4), torch.tensor([1]), v.real(2, dtype=F32))
    scatter(0, v.real(4), torch.tensor([4]), v.real(1))
    scatter(0, v.real(4), torch.tensor([-1]), v.real(1))
    scatter(0, v.integers(4), torch.tensor([2, 0]), v.integers(2))
    scatter_add(1, v.real(2, 4), torch.tensor([[2, 2, 1], [0, 0, 0]]), v.real(2, 3))
    scatter_add(0, v.real(3), torch.tensor([0, 0, 2, 0]), v.real(4))
    scatter_add(-1, v.real(2, 2, 3), v.integers(2, 1, 4, lo=0, hi=3), v.real(2, 2, 4))
    scatter_add(0, permuted(v.real(3, 2), [1, 0]), torch.tensor([[2, 1], [2, 2]]), sliced(v.real(2, 2), 1))
    scatter_add(0, v.integers(3), torch.tensor([0, 0, 2]), v.integers(3))
    scatter_add(0, v.real(3, dtype=F32), torch.tensor([1, 1, 1]), v.real(3, dtype=F32))
    scatter_add(0, v.real(3), torch.tensor([3]), v.real(1))
    scatter_add(0, v.real(3), torch.tensor([0, 1]), v.real(1))
    add = lambda a, i, s: torch.index_add(a, 0, i, s)
    r.add("indexAdd", add, v.real(3, 2), torch.tensor([2, 0, 2]), v.real(3, 2), options={"dim": 0})
    copy = lambda a, i, s: torch.index_copy(a, 1, i, s)
    r.add("indexCopy", copy, v.real(2, 3), torch.tensor([2, 0]), v.real(2, 2), options={"dim": 1})
    for classes in (None, 5):
        options = {} if classes is None else {"numClasses": classes}
        hot = lambda i: F.one_hot(i, -1 if classes is None else classes)
        for index in (
            torch.tensor([0, 2, 1]),
            torch.tensor([[3, 0], [1, 1]]),
            torch.tensor(2),
            torch.zeros(0, dtype=I64),
            torch.tensor([-1]),
            torch.tensor([7]),
        ):
            r.add("oneHot", hot, index, options=options)
    r.add("oneHot", lambda i: F.one_hot(i), torch.tensor([0.0, 1.0]))
    for padding in (None, 1):
        options = {} if padding is None else {"paddingIdx": padding}
        r.both(
            "embedding",
            lambda i, w: F.embedding(i, w, padding_idx=padding),
            lambda d: [torch.tensor([[1, 0], [3, 1]]), v.real(4, 3, dtype=d)],
            options=options,
        )
    r.add("embedding", F.embedding, torch.tensor([4]), v.real(4, 3))
    write("indexing-scatter", r.cases)


def record_order() -> None:
    r = Recorder()
    v = Values("order")
    edges = torch.tensor([[3, NAN, -INF, 0.0], [INF, 1, NAN, -0.0], [2, 2, 1, 1]], dtype=F64)
    for descending in (False, True):
        for dim in (0, -1):
            options = {"dim": dim, "descending": descending}
            # Only a stable sort has one right answer for the indices of ties.
            sort = lambda x: torch.sort(x, dim=dim, descending=descending, stable=True)
            argsort = lambda x: torch.argsort(x, dim=dim, descending=descending, stable=True)
            for x in (
                v.distinct(3, 4), v.distinct(3, 4, dtype=F32), permuted(v.distinct(3, 4), [1, 0]), edges, v.integers(2, 5), v.of(2, 5, dtype=U8),
                v.of(2, 4, dtype=BOOL), v.real(2, 3, dtype=F16), v.real(2, 3, dtype=BF16), torch.zeros(0, 2), torch.zeros(2, 0), v.real(), v.distinct(2, 3, 2),
            ):  # fmt: skip
                r.add("sort", sort, x, options=options)
                r.add("argsort", argsort, x, options=options)
    r.both("sort", lambda x: torch.sort(x), lambda d: [v.distinct(67, dtype=d)])
    r.add("sort", lambda x: torch.sort(x, dim=2), v.real(2, 3), options={"dim": 2})
    for largest in (True, False):
        for k, dim in ((1, -1), (3, -1), (2, 0), (0, -1)):
            options = {"k": k, "dim": dim, "largest": largest}
            topk = lambda x: torch.topk(x, k, dim=dim, largest=largest)
            for x in (
                v.distinct(3, 4),
                v.distinct(3, 4, dtype=F32),
                sliced(v.distinct(3, 4), 1),
                torch.tensor([[3, NAN, -INF, 0.0], [INF, 1, NAN, -5.0], [2, 4, 1, 7]]),
            ):
                r.add("topk", topk, x, options=options)
    r.add("topk", lambda x: torch.topk(x, 5), v.real(2, 3), options={"k": 5})
    r.add("topk", lambda x: torch.topk(x, -1), v.real(2, 3), options={"k": -1})
    r.add("topk", lambda x: torch.topk(x, 2), v.integers(5) * 7 + torch.arange(5), options={"k": 2})
    r.add("topk", lambda x: torch.topk(x, 1), v.real(), options={"k": 1})
    for inverse, counts in ((False, False), (True, False), (False, True), (True, True)):
        options = {"returnInverse": inverse, "returnCounts": counts}
        unique = lambda x: torch.unique(x, return_inverse=inverse, return_counts=counts)
        for x in (
            torch.tensor([3, 1, 2, 3, 1]),
            torch.tensor([[2, 1], [1, 1]]),
            torch.tensor([1.5, -2, 1.5, 0]),
            torch.zeros(0),
            torch.tensor([True, False, True]),
            torch.tensor(4),
            torch.tensor([1, NAN, NAN, -0.0, 0.0]),
        ):
            r.add("unique", unique, x, options=options)
    for dim in (0, 1):
        run = lambda x: torch.unique(x, dim=dim, return_inverse=True, return_counts=True)
        r.add(
            "unique",
            run,
            torch.tensor([[1, 2, 1], [0, 3, 0], [1, 2, 1]]),
            options={"dim": dim, "returnInverse": True, "returnCounts": True},
        )
    r.add("nonzero", torch.nonzero, torch.tensor([[0, 1, 2], [3, 0, 0]]))
    r.add("nonzero", torch.nonzero, torch.tensor([0.0, -0.0, NAN, 1]))
    r.add("nonzero", torch.nonzero, torch.tensor(5))
    r.add("searchsorted", torch.searchsorted, torch.tensor([1.0, 3, 5, 7]), torch.tensor([0.0, 3, 6, 9]))
    r.add("bincount", torch.bincount, torch.tensor([1, 3, 1, 0]))
    write("indexing-order", r.cases)


def record() -> None:
    record_gather()
    record_scatter()
    record_order()
