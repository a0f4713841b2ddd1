"""Modules, losses and initialisation."""

from __future__ import annotations

import torch

from nn import attention, batch_norm, init, losses, modules, network


def record() -> None:
    torch.manual_seed(0)
    modules.record_modules()
    batch_norm.record_batch_norm()
    losses.record_losses()
    init.record_init()
    network.record_network()
    attention.record_attention()
