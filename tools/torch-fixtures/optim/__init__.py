"""Optimizer trajectories, one file per optimizer."""

from __future__ import annotations

from optim import averaging, clip, dense, facts, half, lbfgs, meta, scaler, sparse


def record() -> None:
    for part in (dense, sparse, lbfgs, meta, half, facts, clip, averaging, scaler):
        part.record()
