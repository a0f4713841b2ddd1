"""Schedules: traces and states from PyTorch, and a check of the states that @descent/lr-scheduler saves.

Writes to packages/lr-scheduler/fixtures. The check runs the package, so it needs `npm run setup` first.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from schedulers import accepted, build
from schedulers.cases import all_cases
from schedulers.run import Run, steps_of

PACKAGE = Path(__file__).parents[3] / "packages" / "lr-scheduler" / "fixtures"
SAVED_AT = (0, 5, 47)


def column(rows: list[list[float]], group: int) -> list[float | None]:
    """The values of one group, to 14 digits; null: no group yet, or the value of the step before."""
    values = [float(f"{row[group]:.14g}") if group < len(row) else None for row in rows]
    return [None if k > 0 and value == values[k - 1] else value for k, value in enumerate(values)]


def columns(rows: list[list[float]]) -> list[Any]:
    """One column per group; the number of an earlier group whose column is the same."""
    all_columns = [column(rows, group) for group in range(len(rows[-1]))]
    return [first if (first := all_columns.index(c)) < i else c for i, c in enumerate(all_columns)]


def record_case(case: dict[str, Any]) -> dict[str, Any]:
    run = Run(case)
    lrs, momenta, states = [run.lrs()], [run.momenta()], {}
    for k in range(steps_of(case) + 1):
        if k in SAVED_AT:
            saved = [build.plain(s.state_dict()) for s in run.schedulers]
            states[str(k)] = {"schedulers": saved, "groups": build.groups(run.optimizer)}
        if k == steps_of(case):
            break
        run.step(k)
        lrs.append(run.lrs())
        momenta.append(run.momenta())
    cycled = any(m != momenta[0] for m in momenta)
    return {**case, "trace": columns(lrs), **({"momenta": columns(momenta)} if cycled else {}), "states": states}


def save(name: str, entries: dict[str, Any]) -> None:
    """One line per case, so that a change reads well."""

    def text(value: Any) -> str:
        return json.dumps(build.plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    cases = ",\n".join(text(case) for case in entries.pop("cases"))
    head = "".join(f"{text(key)}:{text(value)},\n" for key, value in entries.items())
    PACKAGE.mkdir(exist_ok=True)
    (PACKAGE / name).write_text(f'{{"torch":{text(torch.__version__)},\n{head}"cases":[\n{cases}\n]}}\n')


def record() -> None:
    warnings.filterwarnings("ignore")
    save("schedules.json", {"cases": [record_case(case) for case in all_cases()]})
    save("accepted.json", {"cases": accepted.check(all_cases())})
