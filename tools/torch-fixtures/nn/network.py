"""A whole network."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from lib import F32, F64, Values, encode, write
from nn.names import set_parameters


def record_network() -> None:
    """A small classifier trained for a few steps: every layer of the stack in one number."""
    cases = []
    for dtype in (F64, F32):
        v = Values("network")
        # No bias in front of the normalisation: its gradient would be rounding noise, which Adam turns into steps.
        features = [
            nn.Conv2d(1, 2, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(8, 5, bias=False),
        ]
        model = nn.Sequential(*features, nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)
        parameters = set_parameters(model, v, dtype)
        x, y = v.real(6, 1, 4, 4, dtype=dtype), v.integers(6, lo=0, hi=3)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        losses = []
        for step in range(20):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            if step == 0:
                gradients = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        cases.append(
            {
                "dtype": dtype,
                "parameters": parameters,
                "input": x,
                "target": y,
                "gradients": gradients,
                "losses": losses,
                "stateDict": dict(model.state_dict()),
                "evaluated": model(x).detach(),
            }
        )
    write(
        "nn-network",
        [encode(c) for c in cases],
        model="Conv2d(1,2,3,padding 1) ReLU MaxPool2d(2) Flatten Linear(8,5,bias false) BatchNorm1d(5) Tanh Linear(5,3); crossEntropy; Adam lr 0.02; 20 steps",
    )
