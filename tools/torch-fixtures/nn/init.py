"""torch.nn.init as numbers."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from lib import write
from nn.names import snake


def record_init() -> None:
    """Facts of torch.nn.init: fans, gains, and the bound or deviation each initialiser uses for a shape."""
    cases: list[dict[str, Any]] = []
    gains: list[tuple[str, Any]] = [
        (n, None) for n in ("linear", "conv1d", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu")
    ]
    gains += [("leaky_relu", 0.2), ("leaky_relu", 0)]
    for name, param in gains:
        cases.append(
            {"kind": "gain", "nonlinearity": name, "param": param, "value": float(nn.init.calculate_gain(name, param))}
        )
    for shape in ((4, 3), (8, 4, 3), (6, 2, 3, 5)):
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
        cases.append({"kind": "fan", "shape": list(shape), "fanIn": fan_in, "fanOut": fan_out})
        for gain in (1.0, 5 / 3):
            cases.append(
                {
                    "kind": "xavierUniform",
                    "shape": list(shape),
                    "gain": gain,
                    "bound": gain * math.sqrt(6 / (fan_in + fan_out)),
                }
            )
            cases.append(
                {
                    "kind": "xavierNormal",
                    "shape": list(shape),
                    "gain": gain,
                    "std": gain * math.sqrt(2 / (fan_in + fan_out)),
                }
            )
        for mode, fan in (("fanIn", fan_in), ("fanOut", fan_out)):
            for a, nonlinearity in ((0, "leaky_relu"), (math.sqrt(5), "leaky_relu"), (0, "relu"), (0, "tanh")):
                std = nn.init.calculate_gain(nonlinearity, a) / math.sqrt(fan)
                base = {"shape": list(shape), "mode": mode, "a": a, "nonlinearity": nonlinearity}
                cases.append({"kind": "kaimingUniform", **base, "bound": math.sqrt(3) * std})
                cases.append({"kind": "kaimingNormal", **base, "std": std})
    for shape in ((3,), ()):
        cases.append({"kind": "fan", "shape": list(shape), "error": True})
    for module, bound in (
        ({"module": "Linear", "options": {"inFeatures": 20, "outFeatures": 30}}, 1 / math.sqrt(20)),
        ({"module": "Conv1d", "options": {"inChannels": 4, "outChannels": 6, "kernelSize": 3}}, 1 / math.sqrt(12)),
        (
            {"module": "Conv2d", "options": {"inChannels": 4, "outChannels": 6, "kernelSize": 3, "groups": 2}},
            1 / math.sqrt(18),
        ),
    ):
        instance = getattr(nn, module["module"])(**snake(module["options"]))
        reach = max(float(p.detach().abs().max()) for p in instance.parameters())
        assert 0.8 * bound < reach <= bound
        cases.append({"kind": "default", **module, "uniformBound": bound})
    cases.append({"kind": "default", "module": "Embedding", "normalStd": 1})
    cases.append(
        {"kind": "default", "module": "BatchNorm2d", "weight": 1, "bias": 0, "runningMean": 0, "runningVar": 1}
    )
    cases.append({"kind": "default", "module": "LayerNorm", "weight": 1, "bias": 0})
    for shape in ((3, 4), (4, 3), (2, 3, 2)):
        eye = nn.init.eye_(torch.empty(shape)) if len(shape) == 2 else None
        cases.append({"kind": "eye", "shape": list(shape), "value": eye})
    for shape, groups in (((4, 2, 3), 1), ((4, 2, 3, 3), 2)):
        cases.append(
            {
                "kind": "dirac",
                "shape": list(shape),
                "groups": groups,
                "value": nn.init.dirac_(torch.empty(shape), groups),
            }
        )
    write("nn-init", [c for c in cases if c.get("value", 0) is not None])
