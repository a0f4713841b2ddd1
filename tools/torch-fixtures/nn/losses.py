"""Losses in every reduction, and the functional forms beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lib import BOOL, I64, Recorder, Values, write
from nn.names import snake

REDUCTIONS = ("mean", "sum", "none")


def record_losses() -> None:
    r = Recorder()

    def loss(
        op: str,
        fn: Callable[..., Tensor],
        make: Callable[[torch.dtype], list[Any]],
        options: dict[str, Any] | None = None,
        tensors: tuple[str, ...] = (),
    ) -> None:
        """`tensors` names the trailing inputs that are keyword arguments, such as class weights."""
        for reduction in REDUCTIONS:
            o = {**(options or {}), "reduction": reduction}

            def call(*args: Any) -> Tensor:
                n = len(args) - len(tensors)
                constants = [a.detach() for a in args[n:]]
                return fn(*args[:n], **snake(o), **snake(dict(zip(tensors, constants, strict=True))))

            extra = {"tensorOptions": list(tensors)} if tensors else {}
            r.both(op, call, make, options=o, **extra)

    v = Values("losses")
    classes = lambda *s: v.integers(*s, lo=0, hi=4)
    real = lambda *s: lambda d: v.real(*s, dtype=d)
    unit = lambda *s: lambda d: v.real(*s, dtype=d, lo=0.05, hi=0.95)
    probabilities = lambda d: torch.softmax(v.real(3, 4, dtype=d), 1)

    ce = F.cross_entropy
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3)])
    loss("crossEntropy", ce, lambda d: [v.real(4, dtype=d), torch.tensor(2)])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([1, -100, 3])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([1, 2, 3])], {"ignoreIndex": 2})
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, dtype=d), torch.tensor([-100, -100])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3)], {"labelSmoothing": 0.1})
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3), unit(4)(d)], {}, ("weight",))
    smooth = {"labelSmoothing": 0.2, "ignoreIndex": 0}
    loss(
        "crossEntropy",
        ce,
        lambda d: [v.real(4, 4, dtype=d), torch.tensor([1, 0, 2, 3]), unit(4)(d)],
        smooth,
        ("weight",),
    )
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), probabilities(d)])
    loss(
        "crossEntropy",
        ce,
        lambda d: [v.real(3, 4, dtype=d), probabilities(d), unit(4)(d)],
        {"labelSmoothing": 0.1},
        ("weight",),
    )
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, 2, 3, dtype=d), classes(2, 2, 3)])
    loss(
        "crossEntropy",
        ce,
        lambda d: [v.real(2, 4, 2, 2, dtype=d), torch.tensor([[[1, -100], [0, 2]], [[3, 3], [-100, 1]]]), unit(4)(d)],
        {},
        ("weight",),
    )
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, 3, dtype=d), torch.softmax(v.real(2, 4, 3, dtype=d), 1)])
    loss("crossEntropy", ce, lambda d: [torch.tensor([[1000.0, -1000, 0]], dtype=d), torch.tensor([1])])
    loss("crossEntropy", ce, lambda d: [torch.zeros(0, 4, dtype=d), torch.zeros(0, dtype=I64)])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([0, 4, 1])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(2)])
    log_p = lambda *s: lambda d: torch.log_softmax(v.real(*s, dtype=d), 1)
    loss("nllLoss", F.nll_loss, lambda d: [log_p(3, 4)(d), classes(3)])
    loss(
        "nllLoss",
        F.nll_loss,
        lambda d: [log_p(3, 4)(d), torch.tensor([1, 0, 3]), unit(4)(d)],
        {"ignoreIndex": 0},
        ("weight",),
    )
    loss("nllLoss", F.nll_loss, lambda d: [log_p(2, 4, 2, 2)(d), classes(2, 2, 2)])
    loss("nllLoss", F.nll_loss, lambda d: [log_p(1, 4)(d)[0], torch.tensor(3)])
    edges = lambda d: torch.tensor([0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -0.0, float("nan"), float("inf")], dtype=d)
    zeros = lambda d: torch.zeros(9, dtype=d)
    for op, fn, variants in (
        ("mseLoss", F.mse_loss, [{}]),
        ("l1Loss", F.l1_loss, [{}]),
        ("smoothL1", F.smooth_l1_loss, [{}, {"beta": 0.5}, {"beta": 0}]),
        ("huber", F.huber_loss, [{}, {"delta": 0.5}]),
    ):
        for options in variants:
            loss(op, fn, lambda d: [v.real(3, 4, dtype=d), v.real(3, 4, dtype=d)], options)
            loss(op, fn, lambda d: [edges(d), zeros(d)], options)
        loss(op, fn, lambda d: [v.real(3, 4, dtype=d), v.real(4, dtype=d)])
        loss(op, fn, lambda d: [torch.zeros(0, dtype=d), torch.zeros(0, dtype=d)])
    loss("bce", F.binary_cross_entropy, lambda d: [unit(3, 4)(d), unit(3, 4)(d)])
    loss(
        "bce",
        F.binary_cross_entropy,
        lambda d: [unit(3, 4)(d), v.of(3, 4, dtype=BOOL).to(d), unit(4)(d)],
        {},
        ("weight",),
    )
    loss(
        "bce",
        F.binary_cross_entropy,
        lambda d: [torch.tensor([0.0, 1, 0, 1], dtype=d), torch.tensor([0.0, 1, 1, 0], dtype=d)],
    )
    loss("bce", F.binary_cross_entropy, lambda d: [torch.tensor([1.5, 0.2], dtype=d), torch.tensor([0.0, 1], dtype=d)])
    logits = F.binary_cross_entropy_with_logits
    loss("bceWithLogits", logits, lambda d: [v.real(3, 4, dtype=d, lo=-6, hi=6), unit(3, 4)(d)])
    loss("bceWithLogits", logits, lambda d: [v.real(3, 4, dtype=d), unit(3, 4)(d), unit(4)(d)], {}, ("posWeight",))
    loss(
        "bceWithLogits",
        logits,
        lambda d: [v.real(3, 4, dtype=d), unit(3, 4)(d), unit(3, 1)(d), unit(4)(d)],
        {},
        ("weight", "posWeight"),
    )
    loss(
        "bceWithLogits",
        logits,
        lambda d: [torch.tensor([500.0, -500, 0, 40], dtype=d), torch.tensor([0.0, 1, 1, 0], dtype=d)],
    )
    for log_target in (False, True):
        for reduction in (*REDUCTIONS, "batchmean"):
            o = {"logTarget": log_target, "reduction": reduction}
            target = (lambda d: log_p(3, 4)(d)) if log_target else probabilities
            r.both("klDiv", lambda x, y: F.kl_div(x, y, **snake(o)), lambda d: [log_p(3, 4)(d), target(d)], options=o)
    hole = lambda d: [log_p(1, 3)(d), torch.tensor([[0.0, 1, 0]], dtype=d)]
    loss("klDiv", F.kl_div, hole)
    dropped = lambda x: F.dropout(x, 0.5, training=False)
    r.both("dropout", dropped, lambda d: [real(2, 3)(d)], options={"p": 0.5, "training": False})
    r.both("dropout", lambda x: F.dropout(x, 0.0), lambda d: [real(2, 3)(d)], options={"p": 0, "training": True})
    r.both("dropout", lambda x: F.dropout(x, 1.0), lambda d: [real(2, 3)(d)], options={"p": 1, "training": True})
    norm = lambda x, w, b: F.layer_norm(x, (4,), w, b, 1e-5)
    r.both(
        "layerNorm",
        norm,
        lambda d: [v.real(3, 4, dtype=d), v.real(4, dtype=d), v.real(4, dtype=d)],
        options={"normalizedShape": [4], "eps": 1e-5},
    )
    r.both(
        "layerNorm",
        norm,
        lambda d: [torch.full((2, 4), 3.0, dtype=d), v.real(4, dtype=d), v.real(4, dtype=d)],
        options={"normalizedShape": [4], "eps": 1e-5},
    )
    write("nn-losses", r.cases)
