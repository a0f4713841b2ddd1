"""Modules, losses and initialisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lib import BOOL, F32, F64, I64, Recorder, Values, encode, gradient_for, write

MODULE_NAMES = {
    "inFeatures": "in_features", "outFeatures": "out_features", "inChannels": "in_channels", "outChannels": "out_channels", "kernelSize": "kernel_size",
    "numFeatures": "num_features", "normalizedShape": "normalized_shape", "elementwiseAffine": "elementwise_affine", "numEmbeddings": "num_embeddings",
    "embeddingDim": "embedding_dim", "paddingIdx": "padding_idx", "trackRunningStats": "track_running_stats", "ceilMode": "ceil_mode",
    "countIncludePad": "count_include_pad", "startDim": "start_dim", "endDim": "end_dim", "negativeSlope": "negative_slope",
    "labelSmoothing": "label_smoothing", "ignoreIndex": "ignore_index", "posWeight": "pos_weight", "logTarget": "log_target", "maxNorm": "max_norm",
}  # fmt: skip


def snake(options: dict[str, Any]) -> dict[str, Any]:
    return {MODULE_NAMES.get(k, k): v for k, v in options.items()}


# class, options, shape of the input
MODULES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Linear", {"inFeatures": 3, "outFeatures": 4}, (2, 3)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2, "bias": False}, (2, 2, 3)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2}, (3,)),
    ("Linear", {"inFeatures": 3, "outFeatures": 2}, (0, 3)),
    ("Conv1d", {"inChannels": 2, "outChannels": 3, "kernelSize": 3, "padding": 1}, (2, 2, 5)),
    ("Conv1d", {"inChannels": 2, "outChannels": 2, "kernelSize": 2, "stride": 2, "groups": 2, "bias": False}, (1, 2, 6)),
    ("Conv2d", {"inChannels": 2, "outChannels": 3, "kernelSize": 3, "padding": 1}, (1, 2, 4, 4)),
    ("Conv2d", {"inChannels": 2, "outChannels": 2, "kernelSize": [2, 3], "stride": [2, 1], "dilation": 1, "bias": False}, (2, 2, 4, 4)),
    ("Conv2d", {"inChannels": 2, "outChannels": 2, "kernelSize": 3, "padding": "same"}, (1, 2, 3, 4)),
    ("MaxPool2d", {"kernelSize": 2}, (1, 2, 4, 5)),
    ("MaxPool2d", {"kernelSize": 3, "stride": 1, "padding": 1}, (1, 1, 4, 4)),
    ("AvgPool2d", {"kernelSize": 2}, (1, 2, 4, 5)),
    ("AvgPool2d", {"kernelSize": 3, "stride": 2, "padding": 1, "countIncludePad": False}, (1, 1, 5, 5)),
    ("LayerNorm", {"normalizedShape": 4}, (2, 3, 4)),
    ("LayerNorm", {"normalizedShape": [3, 4]}, (2, 3, 4)),
    ("LayerNorm", {"normalizedShape": 4, "eps": 0.1, "elementwiseAffine": False}, (3, 4)),
    ("LayerNorm", {"normalizedShape": 4, "bias": False}, (3, 4)),
    ("Flatten", {}, (2, 3, 4)),
    ("Flatten", {"startDim": 0, "endDim": 1}, (2, 3, 4)),
    ("ReLU", {}, (2, 3)),
    ("GELU", {}, (2, 3)),
    ("GELU", {"approximate": "tanh"}, (2, 3)),
    ("SiLU", {}, (2, 3)),
    ("Tanh", {}, (2, 3)),
    ("Sigmoid", {}, (2, 3)),
    ("Softmax", {"dim": 1}, (2, 3)),
    ("LogSoftmax", {"dim": -1}, (2, 3)),
    ("LeakyReLU", {"negativeSlope": 0.2}, (2, 3)),
    ("ELU", {"alpha": 1.5}, (2, 3)),
    ("Softplus", {"beta": 2.0}, (2, 3)),
    ("RMSNorm", {"normalizedShape": 4}, (2, 3, 4)),
    ("GroupNorm", {"num_groups": 2, "num_channels": 4}, (2, 4, 3)),
]  # fmt: skip


def set_parameters(module: nn.Module, v: Values, dtype: torch.dtype) -> dict[str, Tensor]:
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(v.real(*p.shape, dtype=dtype))
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def run_module(name: str, options: dict[str, Any], x: Tensor, v: Values, dtype: torch.dtype) -> dict[str, Any]:
    module = getattr(nn, name)(**snake(options)).to(dtype)
    case: dict[str, Any] = {"module": name, "options": options, "dtype": dtype, "parameters": set_parameters(module, v, dtype), "input": x}
    x = x.clone().requires_grad_(x.is_floating_point())
    out = module(x)
    seed = gradient_for(out)
    out.backward(seed)
    case |= {"output": out.detach(), "gradOutput": seed, "gradInput": x.grad}
    case["gradParameters"] = {n: p.grad for n, p in module.named_parameters()}
    return encode(case)


def record_modules() -> None:
    cases = []
    for i, (name, options, shape) in enumerate(MODULES):
        v = Values(f"{name}{i}")
        for dtype in (F64, F32):
            x = v.distinct(*shape, dtype=dtype) if "MaxPool" in name else v.real(*shape, dtype=dtype)
            cases.append(run_module(name, options, x, v, dtype))
    for options, index in (
        ({"numEmbeddings": 5, "embeddingDim": 3}, [[1, 0, 4], [1, 1, 2]]),
        ({"numEmbeddings": 5, "embeddingDim": 2, "paddingIdx": 1}, [1, 0, 1, 3]),
        ({"numEmbeddings": 5, "embeddingDim": 2, "paddingIdx": -1}, [4, 0]),
    ):
        for dtype in (F64, F32):
            cases.append(run_module("Embedding", options, torch.tensor(index), Values("Embedding"), dtype))
    write("nn-modules", cases)


BATCH_NORMS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BatchNorm1d", {"numFeatures": 3}, (5, 3)),
    ("BatchNorm1d", {"numFeatures": 3}, (2, 3, 4)),
    ("BatchNorm1d", {"numFeatures": 3, "momentum": 0.3, "eps": 0.1}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "momentum": None}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "affine": False}, (4, 3)),
    ("BatchNorm1d", {"numFeatures": 3, "trackRunningStats": False}, (4, 3)),
    ("BatchNorm2d", {"numFeatures": 2}, (2, 2, 3, 3)),
    ("BatchNorm2d", {"numFeatures": 2, "momentum": 0.5}, (1, 2, 2, 3)),
]


def buffers(module: nn.Module) -> dict[str, Tensor]:
    return {n: b.detach().clone() for n, b in module.named_buffers()}


def record_batch_norm() -> None:
    """Three training passes, whose last one is differentiated, then one in evaluation mode."""
    cases = []
    for i, (name, options, shape) in enumerate(BATCH_NORMS):
        for dtype in (F64, F32):
            v = Values(f"{name}{i}")
            module = getattr(nn, name)(**snake(options)).to(dtype)
            case: dict[str, Any] = {"module": name, "options": options, "dtype": dtype, "parameters": set_parameters(module, v, dtype)}
            passes = []
            for mode in ("train", "train", "train", "eval"):
                module.train(mode == "train")
                module.zero_grad()
                x = v.real(*shape, dtype=dtype)
                record: dict[str, Any] = {"mode": mode, "input": x}
                x = x.clone().requires_grad_()
                out = module(x)
                seed = gradient_for(out)
                out.backward(seed)
                record |= {"output": out.detach(), "gradOutput": seed, "gradInput": x.grad}
                record["gradParameters"] = {n: p.grad for n, p in module.named_parameters()}
                record["buffers"] = buffers(module)
                passes.append(encode(record))
            case["passes"] = passes
            cases.append(encode(case))
    for shape in ((1, 3), (4, 2), (3,)):
        case = {"module": "BatchNorm1d", "options": {"numFeatures": 3}, "dtype": F32, "input": torch.ones(shape)}
        try:
            nn.BatchNorm1d(3)(torch.ones(shape))
        except (ValueError, RuntimeError) as error:
            cases.append(encode({**case, "error": True, "reason": str(error)}))
    write("nn-batch-norm", cases)


REDUCTIONS = ("mean", "sum", "none")


def record_losses() -> None:
    r = Recorder()

    def loss(op: str, fn: Callable[..., Tensor], make: Callable[[torch.dtype], list[Any]], options: dict[str, Any] | None = None, tensors: tuple[str, ...] = ()) -> None:
        """`tensors` names the trailing inputs that are keyword arguments, such as class weights."""
        for reduction in REDUCTIONS:
            o = {**(options or {}), "reduction": reduction}

            def call(*args: Any) -> Tensor:
                n = len(args) - len(tensors)
                constants = [a.detach() for a in args[n:]]
                return fn(*args[:n], **snake(o), **snake(dict(zip(tensors, constants, strict=True))))

            extra = {"tensorOptions": list(tensors)} if tensors else {}
            r.both(op, call, make, options=o, **extra)

    v = Values("losses")
    classes = lambda *s: v.integers(*s, lo=0, hi=4)  # noqa: E731
    real = lambda *s: lambda d: v.real(*s, dtype=d)  # noqa: E731
    unit = lambda *s: lambda d: v.real(*s, dtype=d, lo=0.05, hi=0.95)  # noqa: E731
    probabilities = lambda d: torch.softmax(v.real(3, 4, dtype=d), 1)  # noqa: E731

    ce = F.cross_entropy
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3)])
    loss("crossEntropy", ce, lambda d: [v.real(4, dtype=d), torch.tensor(2)])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([1, -100, 3])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([1, 2, 3])], {"ignoreIndex": 2})
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, dtype=d), torch.tensor([-100, -100])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3)], {"labelSmoothing": 0.1})
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(3), unit(4)(d)], {}, ("weight",))
    smooth = {"labelSmoothing": 0.2, "ignoreIndex": 0}
    loss("crossEntropy", ce, lambda d: [v.real(4, 4, dtype=d), torch.tensor([1, 0, 2, 3]), unit(4)(d)], smooth, ("weight",))
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), probabilities(d)])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), probabilities(d), unit(4)(d)], {"labelSmoothing": 0.1}, ("weight",))
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, 2, 3, dtype=d), classes(2, 2, 3)])
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, 2, 2, dtype=d), torch.tensor([[[1, -100], [0, 2]], [[3, 3], [-100, 1]]]), unit(4)(d)], {}, ("weight",))
    loss("crossEntropy", ce, lambda d: [v.real(2, 4, 3, dtype=d), torch.softmax(v.real(2, 4, 3, dtype=d), 1)])
    loss("crossEntropy", ce, lambda d: [torch.tensor([[1000.0, -1000, 0]], dtype=d), torch.tensor([1])])
    loss("crossEntropy", ce, lambda d: [torch.zeros(0, 4, dtype=d), torch.zeros(0, dtype=I64)])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), torch.tensor([0, 4, 1])])
    loss("crossEntropy", ce, lambda d: [v.real(3, 4, dtype=d), classes(2)])
    log_p = lambda *s: lambda d: torch.log_softmax(v.real(*s, dtype=d), 1)  # noqa: E731
    loss("nllLoss", F.nll_loss, lambda d: [log_p(3, 4)(d), classes(3)])
    loss("nllLoss", F.nll_loss, lambda d: [log_p(3, 4)(d), torch.tensor([1, 0, 3]), unit(4)(d)], {"ignoreIndex": 0}, ("weight",))
    loss("nllLoss", F.nll_loss, lambda d: [log_p(2, 4, 2, 2)(d), classes(2, 2, 2)])
    loss("nllLoss", F.nll_loss, lambda d: [log_p(1, 4)(d)[0], torch.tensor(3)])
    edges = lambda d: torch.tensor([0.0, 0.5, -0.5, 1.0, -1.0, 2.5, -0.0, float("nan"), float("inf")], dtype=d)  # noqa: E731
    zeros = lambda d: torch.zeros(9, dtype=d)  # noqa: E731
    for op, fn, variants in (
        ("mseLoss", F.mse_loss, [{}]),
        ("l1Loss", F.l1_loss, [{}]),
        ("smoothL1", F.smooth_l1_loss, [{}, {"beta": 0.5}, {"beta": 0}]),
        ("huber", F.huber_loss, [{}, {"delta": 0.5}]),
    ):
        for options in variants:
            loss(op, fn, lambda d: [v.real(3, 4, dtype=d), v.real(3, 4, dtype=d)], options)
            loss(op, fn, lambda d: [edges(d), zeros(d)], options)
        loss(op, fn, lambda d: [v.real(3, 4, dtype=d), v.real(4, dtype=d)])
        loss(op, fn, lambda d: [torch.zeros(0, dtype=d), torch.zeros(0, dtype=d)])
    loss("bce", F.binary_cross_entropy, lambda d: [unit(3, 4)(d), unit(3, 4)(d)])
    loss("bce", F.binary_cross_entropy, lambda d: [unit(3, 4)(d), v.of(3, 4, dtype=BOOL).to(d), unit(4)(d)], {}, ("weight",))
    loss("bce", F.binary_cross_entropy, lambda d: [torch.tensor([0.0, 1, 0, 1], dtype=d), torch.tensor([0.0, 1, 1, 0], dtype=d)])
    loss("bce", F.binary_cross_entropy, lambda d: [torch.tensor([1.5, 0.2], dtype=d), torch.tensor([0.0, 1], dtype=d)])
    logits = F.binary_cross_entropy_with_logits
    loss("bceWithLogits", logits, lambda d: [v.real(3, 4, dtype=d, lo=-6, hi=6), unit(3, 4)(d)])
    loss("bceWithLogits", logits, lambda d: [v.real(3, 4, dtype=d), unit(3, 4)(d), unit(4)(d)], {}, ("posWeight",))
    loss("bceWithLogits", logits, lambda d: [v.real(3, 4, dtype=d), unit(3, 4)(d), unit(3, 1)(d), unit(4)(d)], {}, ("weight", "posWeight"))
    loss("bceWithLogits", logits, lambda d: [torch.tensor([500.0, -500, 0, 40], dtype=d), torch.tensor([0.0, 1, 1, 0], dtype=d)])
    for log_target in (False, True):
        for reduction in (*REDUCTIONS, "batchmean"):
            o = {"logTarget": log_target, "reduction": reduction}
            target = (lambda d: log_p(3, 4)(d)) if log_target else probabilities
            r.both("klDiv", lambda x, y: F.kl_div(x, y, **snake(o)), lambda d: [log_p(3, 4)(d), target(d)], options=o)
    hole = lambda d: [log_p(1, 3)(d), torch.tensor([[0.0, 1, 0]], dtype=d)]  # noqa: E731
    loss("klDiv", F.kl_div, hole)
    dropped = lambda x: F.dropout(x, 0.5, training=False)  # noqa: E731
    r.both("dropout", dropped, lambda d: [real(2, 3)(d)], options={"p": 0.5, "training": False})
    r.both("dropout", lambda x: F.dropout(x, 0.0), lambda d: [real(2, 3)(d)], options={"p": 0, "training": True})
    r.both("dropout", lambda x: F.dropout(x, 1.0), lambda d: [real(2, 3)(d)], options={"p": 1, "training": True})
    norm = lambda x, w, b: F.layer_norm(x, (4,), w, b, 1e-5)  # noqa: E731
    r.both("layerNorm", norm, lambda d: [v.real(3, 4, dtype=d), v.real(4, dtype=d), v.real(4, dtype=d)], options={"normalizedShape": [4], "eps": 1e-5})
    r.both("layerNorm", norm, lambda d: [torch.full((2, 4), 3.0, dtype=d), v.real(4, dtype=d), v.real(4, dtype=d)], options={"normalizedShape": [4], "eps": 1e-5})
    write("nn-losses", r.cases)


def record_init() -> None:
    """Facts of torch.nn.init: fans, gains, and the bound or deviation each initialiser uses for a shape."""
    cases: list[dict[str, Any]] = []
    gains: list[tuple[str, Any]] = [(n, None) for n in ("linear", "conv1d", "conv2d", "sigmoid", "tanh", "relu", "selu", "leaky_relu")]
    gains += [("leaky_relu", 0.2), ("leaky_relu", 0)]
    for name, param in gains:
        cases.append({"kind": "gain", "nonlinearity": name, "param": param, "value": float(nn.init.calculate_gain(name, param))})
    for shape in ((4, 3), (8, 4, 3), (6, 2, 3, 5)):
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
        cases.append({"kind": "fan", "shape": list(shape), "fanIn": fan_in, "fanOut": fan_out})
        for gain in (1.0, 5 / 3):
            cases.append({"kind": "xavierUniform", "shape": list(shape), "gain": gain, "bound": gain * math.sqrt(6 / (fan_in + fan_out))})
            cases.append({"kind": "xavierNormal", "shape": list(shape), "gain": gain, "std": gain * math.sqrt(2 / (fan_in + fan_out))})
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
        ({"module": "Conv2d", "options": {"inChannels": 4, "outChannels": 6, "kernelSize": 3, "groups": 2}}, 1 / math.sqrt(18)),
    ):
        instance = getattr(nn, module["module"])(**snake(module["options"]))
        reach = max(float(p.detach().abs().max()) for p in instance.parameters())
        assert 0.8 * bound < reach <= bound
        cases.append({"kind": "default", **module, "uniformBound": bound})
    cases.append({"kind": "default", "module": "Embedding", "normalStd": 1})
    cases.append({"kind": "default", "module": "BatchNorm2d", "weight": 1, "bias": 0, "runningMean": 0, "runningVar": 1})
    cases.append({"kind": "default", "module": "LayerNorm", "weight": 1, "bias": 0})
    for shape in ((3, 4), (4, 3), (2, 3, 2)):
        eye = nn.init.eye_(torch.empty(shape)) if len(shape) == 2 else None
        cases.append({"kind": "eye", "shape": list(shape), "value": eye})
    for shape, groups in (((4, 2, 3), 1), ((4, 2, 3, 3), 2)):
        cases.append({"kind": "dirac", "shape": list(shape), "groups": groups, "value": nn.init.dirac_(torch.empty(shape), groups)})
    write("nn-init", [c for c in cases if c.get("value", 0) is not None])


def record_network() -> None:
    """A small classifier trained for a few steps: every layer of the stack in one number."""
    cases = []
    for dtype in (F64, F32):
        v = Values("network")
        # No bias in front of the normalisation: its gradient would be rounding noise, which Adam turns into steps.
        features = [nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 5, bias=False)]
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
        cases.append({"dtype": dtype, "parameters": parameters, "input": x, "target": y, "gradients": gradients, "losses": losses, "stateDict": dict(model.state_dict()), "evaluated": model(x).detach()})
    write("nn-network", [encode(c) for c in cases], model="Conv2d(1,2,3,padding 1) ReLU MaxPool2d(2) Flatten Linear(8,5,bias false) BatchNorm1d(5) Tanh Linear(5,3); crossEntropy; Adam lr 0.02; 20 steps")


def record() -> None:
    torch.manual_seed(0)
    record_modules()
    record_batch_norm()
    record_losses()
    record_init()
    record_network()
