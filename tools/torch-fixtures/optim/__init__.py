"""Optimizer trajectories, one file per optimizer."""

from __future__ import annotations

from optim import dense


def record() -> None:
    dense.record()
