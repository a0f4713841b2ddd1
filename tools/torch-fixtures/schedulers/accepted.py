"""Loads the states that @descent/lr-scheduler saves into PyTorch, and continues the run there."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from schedulers import build
from schedulers.run import Run, late_groups, steps_of

ROOT = Path(__file__).parents[3]
EXPORTER = ROOT / "packages" / "lr-scheduler" / "src" / "testing" / "export-states.ts"
FOLLOWED = 60


def exported() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "states.json"
        subprocess.run([ROOT / "node_modules" / ".bin" / "node", EXPORTER, file], check=True)
        return json.loads(file.read_text())


def traces(case: dict[str, Any]) -> list[list[float]]:
    run = Run(case)
    rows = [run.lrs() + run.momenta()]
    for k in range(steps_of(case)):
        run.step(k)
        rows.append(run.lrs() + run.momenta())
    return rows


def load(run: Run, saved: dict[str, Any]) -> None:
    """As a PyTorch user does: the states of the schedulers, then that of the optimizer."""
    for scheduler, state in zip(run.schedulers, saved["schedulers"], strict=True):
        scheduler.load_state_dict(build.live(state))
    state = run.optimizer.state_dict()
    for group, ours in zip(state["param_groups"], saved["groups"], strict=True):
        group.update({key: tuple(value) if key == "betas" else value for key, value in ours.items()})
    run.optimizer.load_state_dict(state)


def deviation(case: dict[str, Any], saved: dict[str, Any], expected: list[list[float]]) -> float:
    """The largest relative difference between the run continued from our state and PyTorch's own."""
    at = saved["at"]
    run = Run({**case, "lrs": [*case["lrs"], *late_groups(case, at)]})
    load(run, saved)
    worst = 0.0
    for k in range(at, min(at + FOLLOWED, steps_of(case)) + 1):
        if k > at:
            run.step(k - 1)
        for a, b in zip(run.lrs() + run.momenta(), expected[k], strict=True):
            worst = max(worst, abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0)
    return worst


def check(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_name = {case["name"]: case for case in cases}
    expected = {name: traces(case) for name, case in by_name.items()}
    return [
        {
            "name": saved["name"],
            "at": saved["at"],
            "deviation": float(f"{deviation(by_name[saved['name']], saved, expected[saved['name']]):.2g}"),
            "states": build.digest(saved["schedulers"]),
        }
        for saved in exported()
    ]
