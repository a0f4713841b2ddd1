"""A schedule while it is stepped."""

from __future__ import annotations

from typing import Any

import torch

from schedulers import build
from schedulers.cases import STEPS


class Run:
    """A case while it is stepped."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.case = case
        self.optimizer = build.optimizer(case)
        self.schedulers = [build.scheduler(self.optimizer, d) for d in case["schedulers"]]

    def lrs(self) -> list[float]:
        return [g["lr"] for g in self.optimizer.param_groups]

    def momenta(self) -> list[float]:
        return [g["betas"][0] if "betas" in g else g["momentum"] for g in self.optimizer.param_groups]

    def step(self, k: int) -> None:
        case = self.case
        edit = case.get("edits", {}).get(str(k))
        if edit is not None:
            for g in self.optimizer.param_groups:
                g["lr"] = edit
        added = case.get("added", {}).get(str(k))
        if added is not None:
            self.optimizer.add_param_group(
                {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": added, "initial_lr": added}
            )
        for sched in self.schedulers:
            if type(sched).__name__ == "ReduceLROnPlateau":
                sched.step(case["metrics"][k])
            else:
                build.step(sched, case["calls"][k] if "calls" in case else None)


def steps_of(case: dict[str, Any]) -> int:
    # The step after the last one of OneCycleLR bounces up in PyTorch.
    return STEPS - 1 if "one cycle" in case["name"] else STEPS


def late_groups(case: dict[str, Any], before: int) -> list[float]:
    """The lrs of the groups that the case adds before a step."""
    return [lr for at, lr in case.get("added", {}).items() if int(at) < before]
