"""Optimizer trajectories, one file per optimizer."""

from __future__ import annotations

from optim import dense, facts, half, lbfgs, meta, sparse


def record() -> None:
    for part in (dense, sparse, lbfgs, meta, half, facts):
        part.record()
