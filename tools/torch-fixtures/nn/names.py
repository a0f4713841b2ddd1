"""What modules have in common."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lib import Values

MODULE_NAMES = {
    "inFeatures": "in_features", "outFeatures": "out_features", "inChannels": "in_channels", "outChannels": "out_channels", "kernelSize": "kernel_size",
    "numFeatures": "num_features", "normalizedShape": "normalized_shape", "elementwiseAffine": "elementwise_affine", "numEmbeddings": "num_embeddings",
    "embeddingDim": "embedding_dim", "paddingIdx": "padding_idx", "trackRunningStats": "track_running_stats", "ceilMode": "ceil_mode",
    "countIncludePad": "count_include_pad", "startDim": "start_dim", "endDim": "end_dim", "negativeSlope": "negative_slope",
    "labelSmoothing": "label_smoothing", "ignoreIndex": "ignore_index", "posWeight": "pos_weight", "logTarget": "log_target", "maxNorm": "max_norm",
    "isCausal": "is_causal",
}  # fmt: skip


def snake(options: dict[str, Any]) -> dict[str, Any]:
    return {MODULE_NAMES.get(k, k): v for k, v in options.items()}


def set_parameters(module: nn.Module, v: Values, dtype: torch.dtype) -> dict[str, Tensor]:
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(v.real(*p.shape, dtype=dtype))
    return {name: p.detach().clone() for name, p in module.named_parameters()}
