"""The other direction: PyTorch loads optimizer states saved by Descent and goes on.

    python exchange.py saved-by-descent.json [name-of-fixture]

The input has `cases` shaped like trajectories, with `saved: { step, params, stateDict }`: the parameters (elements in
logical order) and the state after that step. The output, `fixtures/optim-exchange.json` unless named otherwise, has the
same cases with the `snapshots` PyTorch reaches from there. Any trajectory file works as input for its saved cases.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lib import encode, write
from optim.trajectory import CAMEL, SNAPSHOTS, STEPS, covers, data_of, gradient, state_dict

SNAKE = {v: k for k, v in CAMEL.items()}


def number(value: Any) -> float:
    return float(value)  # Python reads "nan", "inf", "-inf" and "-0" as they are.


def tensor(raw: dict[str, Any]) -> Tensor:
    dtype = getattr(torch, raw["dtype"])
    shape = raw["shape"]
    if "indices" in raw:
        indices = torch.tensor(raw["indices"], dtype=torch.int64).reshape(-1, raw["nnz"])
        values = torch.tensor([number(v) for v in raw["values"]], dtype=torch.float64).to(dtype)
        return torch.sparse_coo_tensor(indices, values.reshape(raw["nnz"], *shape[len(indices) :]), shape)
    return torch.tensor([number(v) for v in raw["data"]], dtype=torch.float64).reshape(shape).to(dtype)


def decode(value: Any) -> Any:
    if isinstance(value, dict):
        return tensor(value) if "dtype" in value and "shape" in value else {k: decode(v) for k, v in value.items()}
    if isinstance(value, list):
        return [decode(v) for v in value]
    return value


def decode_state_dict(raw: dict[str, Any]) -> dict[str, Any]:
    state = {int(k): decode(v) for k, v in raw["state"].items()}
    return {"state": state, "param_groups": [decode(g) for g in raw["param_groups"]]}


def options(raw: dict[str, Any]) -> dict[str, Any]:
    return {SNAKE.get(k, k): tuple(v) if isinstance(v, list) else v for k, v in raw.items()}


def rules(raw: list[dict[str, int]]) -> list[tuple[int, int, int]]:
    return [(r["param"], r["from"], r["to"]) for r in raw]


def go_on(case: dict[str, Any]) -> dict[str, Any]:
    saved = case["saved"]
    values = saved.get("params") or next(s["params"] for s in case["snapshots"] if s["step"] == saved["step"])
    params = [tensor({**p, "data": v}).requires_grad_() for p, v in zip(case["params"], values, strict=True)]
    groups = case.get("groups") or [{"params": list(range(len(params))), "options": {}}]
    live = getattr(torch.optim, case["optimizer"])(
        [{"params": [params[i] for i in g["params"]], **options(g["options"])} for g in groups],
        **options(case["options"]),
    )
    live.load_state_dict(decode_state_dict(saved["stateDict"]))
    missing, zero = rules(case.get("noGrad", [])), rules(case.get("zeroGrad", []))
    snapshots = []
    for step in range(saved["step"] + 1, STEPS + 1):
        for i, p in enumerate(params):
            p.grad = None if covers(missing, i, step) else gradient(i, step, p)
            if p.grad is not None and covers(zero, i, step):
                p.grad = torch.zeros_like(p)
        live.step()
        if step in SNAPSHOTS:
            snapshots.append({"step": step, "params": data_of(params)})
    return {**case, "snapshots": snapshots, "stateDict": state_dict(live)}


def main(path: str, name: str = "optim-exchange") -> None:
    cases = json.loads(Path(path).read_text(encoding="utf-8"))["cases"]
    write(name, [encode(go_on(c)) for c in cases if "saved" in c and not c.get("sparse")])


if __name__ == "__main__":
    main(*sys.argv[1:])
