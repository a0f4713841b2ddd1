"""Matrix products in every shape rule."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from lib import BF16, BOOL, F16, F32, F64, I32, I64, Recorder, Values, expanded, permuted, sliced, write

NAN, INF = float("nan"), float("inf")

MATMUL_SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((1, 1), (1, 1)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)),
    ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((2, 1, 2, 3), (3, 3, 4)), ((1, 2, 3), (4, 3, 1)),
    ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((0, 2, 3), (3, 4)), ((7, 5), (5, 9)), ((17, 3), (3, 2)), ((2, 19), (19, 2)),
]  # fmt: skip
MATMUL_ERRORS = [((2, 3), (4, 2)), ((3,), (4,)), ((), (3,)), ((2, 3), ()), ((2, 2, 3), (3, 3, 4)), ((2, 3), (2,))]

EINSUM = [
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]), ("i,j->ij", [(3,), (4,)]),
    ("ii->i", [(3, 3)]), ("ii->", [(3, 3)]), ("ij->ji", [(2, 3)]), ("ij->", [(2, 3)]), ("ij->j", [(2, 3)]), ("i,i->", [(4,), (4,)]),
    ("...ij,...jk->...ik", [(2, 1, 2, 3), (3, 3, 2)]), ("bhid,bhjd->bhij", [(1, 2, 3, 2), (1, 2, 4, 2)]), ("ij,ij->ij", [(2, 3), (2, 3)]),
    ("bn,anm,bm->ba", [(2, 3), (4, 3, 2), (2, 2)]), ("ba", [(2, 3)]), ("...i->...", [(2, 3)]), ("ij,kj->ikj", [(2, 3), (4, 3)]),
    ("i,ij,j->", [(2,), (2, 3), (3,)]), (" i j , j k -> i k ", [(2, 3), (3, 2)]), ("ij,j->ij", [(2, 3), (1,)]),
]  # fmt: skip
EINSUM_ERRORS = [
    ("ij,jk->ik", [(2, 3), (4, 2)]),
    ("ij->ijk", [(2, 3)]),
    ("ijk->i", [(2, 3)]),
    ("ij,jk", [(2, 3)]),
    ("ij->ii", [(2, 3)]),
]


def record_matmul() -> None:
    r = Recorder()
    v = Values("matmul")
    for a, b in MATMUL_SHAPES:
        r.both("matmul", torch.matmul, lambda d: [v.real(*a, dtype=d), v.real(*b, dtype=d)])
    for a, b in MATMUL_ERRORS:
        r.add("matmul", torch.matmul, torch.ones(a), torch.ones(b))
    left = lambda d: v.real(2, 3, dtype=d)
    right = lambda d: v.real(3, 4, dtype=d)
    swap = [1, 0]
    r.both("matmul", torch.matmul, lambda d: [permuted(left(d), swap), right(d)])
    r.both("matmul", torch.matmul, lambda d: [left(d), permuted(right(d), swap)])
    r.both("matmul", torch.matmul, lambda d: [permuted(left(d), swap), permuted(right(d), swap)])
    r.both("matmul", torch.matmul, lambda d: [permuted(v.real(2, 3, 4, dtype=d), [1, 0, 2]), v.real(2, 4, 3, dtype=d)])
    r.both("matmul", torch.matmul, lambda d: [sliced(v.real(2, 3, dtype=d), 1), sliced(v.real(3, 4, dtype=d), 0)])
    r.both("matmul", torch.matmul, lambda d: [v.real(2, 2, 3, dtype=d), expanded(v.real(1, 3, 2, dtype=d), (2, 3, 2))])
    odd = torch.tensor([[1, NAN], [INF, 0.0]], dtype=F64)
    r.add("matmul", torch.matmul, odd, torch.tensor([[1.0, 0], [2, 1]], dtype=F64))
    for dtype in (F16, BF16, I32, I64, BOOL):
        r.add("matmul", torch.matmul, v.of(2, 3, dtype=dtype), v.of(3, 2, dtype=dtype))
    r.add("matmul", torch.matmul, v.of(2, 3, dtype=F32), v.of(3, 2, dtype=F64))
    r.add("matmul", torch.matmul, v.of(2, 3, dtype=I32), v.of(3, 2, dtype=I64))

    r.both("mm", torch.mm, lambda d: [v.real(2, 3, dtype=d), v.real(3, 4, dtype=d)])
    r.add("mm", torch.mm, torch.ones(2, 2, 3), torch.ones(3, 2))
    r.both("mv", torch.mv, lambda d: [v.real(2, 3, dtype=d), v.real(3, dtype=d)])
    for b, n, k, m in ((2, 2, 3, 4), (1, 1, 1, 1), (0, 2, 3, 4), (2, 2, 0, 3)):
        r.both("bmm", torch.bmm, lambda d: [v.real(b, n, k, dtype=d), v.real(b, k, m, dtype=d)])
    r.add("bmm", torch.bmm, permuted(v.real(2, 3, 4), [0, 2, 1]), v.real(2, 4, 2))
    r.add("bmm", torch.bmm, torch.ones(2, 2, 3), torch.ones(1, 3, 2))
    r.add("bmm", torch.bmm, torch.ones(2, 3), torch.ones(3, 2))
    for options in ({}, {"beta": 0.5, "alpha": 2}, {"beta": 0, "alpha": 1}, {"beta": 1, "alpha": 0}):
        for shape in ((2, 4), (4,), (2, 1), ()):
            r.both(
                "addmm",
                lambda c, a, b, o=options: torch.addmm(c, a, b, **o),
                lambda d: [v.real(*shape, dtype=d), v.real(2, 3, dtype=d), v.real(3, 4, dtype=d)],
                options=options,
            )
    r.add(
        "addmm",
        lambda c, a, b: torch.addmm(c, a, b, beta=0),
        odd * NAN,
        odd[:, :1] * 0,
        torch.ones(1, 2, dtype=F64),
        options={"beta": 0},
    )
    r.add("addmm", torch.addmm, torch.ones(3), torch.ones(2, 3), torch.ones(3, 4))
    r.both(
        "baddbmm", torch.baddbmm, lambda d: [v.real(2, 1, dtype=d), v.real(2, 2, 3, dtype=d), v.real(2, 3, 2, dtype=d)]
    )
    for a, b in ((3, 4), (1, 2), (0, 2)):
        r.both("outer", torch.outer, lambda d: [v.real(a, dtype=d), v.real(b, dtype=d)])
    r.add("outer", torch.outer, v.integers(2), v.real(3), grad=False)
    r.add("outer", torch.outer, torch.ones(2, 2), torch.ones(2))
    for n in (5, 1, 0):
        r.both("dot", torch.dot, lambda d: [v.real(n, dtype=d), v.real(n, dtype=d)])
    r.add("dot", torch.dot, torch.ones(2), torch.ones(3))
    r.add("dot", torch.dot, torch.ones(2, 2), torch.ones(2))
    r.add("dot", torch.dot, v.integers(4), v.integers(4))
    for shape in ((2, 3), (3,), (4, 2, 3)):
        r.both("linear", F.linear, lambda d: [v.real(*shape, dtype=d), v.real(4, 3, dtype=d), v.real(4, dtype=d)])
        r.both("linear", F.linear, lambda d: [v.real(*shape, dtype=d), v.real(4, 3, dtype=d), None])
    r.add("linear", F.linear, torch.ones(2, 3), torch.ones(4, 2), None)
    write("matmul", r.cases)

    big = Recorder()
    for n, k, m in ((16, 33, 24), (31, 16, 17)):
        big.add("matmul", torch.matmul, v.real(n, k, dtype=F32), v.real(k, m, dtype=F32))
        big.add("matmul", torch.matmul, v.real(n, k), v.real(k, m))
    write("matmul-larger", big.cases)


def record_einsum() -> None:
    r = Recorder()
    v = Values("einsum")

    def run(equation: str) -> object:
        return lambda operands: torch.einsum(equation, *operands)

    for equation, shapes in EINSUM:
        r.both(
            "einsum", run(equation), lambda d: [[v.real(*s, dtype=d) for s in shapes]], options={"equation": equation}
        )
    for equation, shapes in EINSUM_ERRORS:
        r.add("einsum", run(equation), [torch.ones(s) for s in shapes], options={"equation": equation})
    write("einsum", r.cases)


def record() -> None:
    record_matmul()
    record_einsum()
