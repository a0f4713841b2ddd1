"""Parameters in bfloat16 and float16, with PyTorch's default: state in the dtype of the parameter, rounded at every operation."""

from __future__ import annotations

from lib import BF16, F16, write
from optim.dense import PARAMS
from optim.options import RESUME
from optim.trajectory import Scenario, default_params, run


def record() -> None:
    cases = []
    for optimizer, options in RESUME.items():
        make = PARAMS.get(optimizer, default_params)
        # 1e-8 is zero in float16.
        safe = (
            {**options, "eps": 0.1}
            if optimizer in ("Adam", "AdamW", "Adamax", "Adadelta", "Adagrad", "NAdam", "RAdam", "RMSprop")
            else options
        )
        cases.append(run(Scenario(optimizer, "bfloat16", options, make_params=make), BF16))
        cases.append(run(Scenario(optimizer, "float16", safe, make_params=make), F16))
    write("optim-half", cases)
