"""The zoo's networks in PyTorch, with the same layers and names, for the speed comparison.

Each is a plain `torch.nn` module in PyTorch's own layout, (batch, channels, *spatial), with
Keras' values where the defaults differ: batch normalisation has epsilon 0.001 and momentum 0.99.
`copy_weights` copies a Keras model's weights by the names of the layers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrizations, parametrize


def build(model: str, channels: int, classes: int, options: Mapping[str, Any]) -> nn.Module:
    """The network called `model`, with those of the zoo's options that the comparison needs."""
    builders: dict[str, Any] = {
        "small_cnn": small_cnn,
        "vgg16": vgg16,
        "inception": Inception,
        "causal_conv1d": CausalConv1D,
    }
    return builders[model](channels, classes, **options)


def small_cnn(channels: int, classes: int) -> nn.Sequential:
    """The zoo's small_cnn under `same`: (batch, channels, height, width) -> (batch, classes)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for stage, (width, convs) in enumerate(((16, 2), (32, 2), (64, 1)), start=1):
        if stage > 1:
            layers[f"stage{stage - 1}_pool"] = nn.MaxPool2d(2)
        for i in range(1, convs + 1):
            layers |= _normalised(channels, width, 3, f"stage{stage}_{{}}{i}")
            channels = width
    return _with_head(layers, channels, classes)


def vgg16(channels: int, classes: int, width: float = 1.0) -> nn.Sequential:
    """The zoo's vgg16 under `same`, pooled head: (batch, channels, height, width) -> logits."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    stages = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    for stage, (filters, convs) in enumerate(stages, start=1):
        for i in range(1, convs + 1):
            layers |= _normalised(channels, round(filters * width), 3, f"stage{stage}_{{}}{i}")
            channels = round(filters * width)
        layers[f"stage{stage}_pool"] = nn.MaxPool2d(2)
    return _with_head(layers, channels, classes, dropout=0.5)


class Inception(nn.Module):
    """The zoo's inception, small stem, `same`: (batch, channels, height, width) -> logits."""

    TABLE: ClassVar = {
        "3a": (64, 96, 128, 16, 32, 32),
        "3b": (128, 128, 192, 32, 96, 64),
        "4a": (192, 96, 208, 16, 48, 64),
    }

    def __init__(self, channels: int, classes: int, width: float = 0.25) -> None:
        super().__init__()
        self.blocks: list[list[nn.Module]] = []
        self.stem = self._block(channels, round(192 * width), 3, "stem")
        channels = round(192 * width)
        for i, (name, filters) in enumerate(self.TABLE.items(), start=1):
            one, three_in, three, five_in, five, pool = (round(width * n) for n in filters)
            module = f"module{name}_{i}"
            self.blocks.append(
                [
                    self._block(channels, one, 1, f"{module}_1x1"),
                    nn.Sequential(
                        self._block(channels, three_in, 1, f"{module}_3x3_reduce"),
                        self._block(three_in, three, 3, f"{module}_3x3"),
                    ),
                    nn.Sequential(
                        self._block(channels, five_in, 1, f"{module}_5x5_reduce"),
                        self._block(five_in, five, 5, f"{module}_5x5"),
                    ),
                    nn.Sequential(
                        nn.MaxPool2d(3, 1, padding=1),
                        self._block(channels, pool, 1, f"{module}_pool_proj"),
                    ),
                ]
            )
            channels = one + three + five + pool
        self.logits = nn.Linear(channels, classes)

    def _block(self, channels: int, filters: int, size: int, name: str) -> nn.Sequential:
        layers = _normalised(channels, filters, size, f"{name}_{{}}")
        for key, layer in layers.items():
            self.add_module(key, layer)
        return nn.Sequential(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # SAME pads the stem's pooling by one pixel at the end, as ceil_mode does.
        x = F.max_pool2d(self.stem(x), 3, 2, ceil_mode=True)
        for branches in self.blocks:
            x = torch.cat([branch(x) for branch in branches], dim=1)
        return self.logits(x.mean((2, 3)))


class CausalConv1D(nn.Module):
    """The zoo's causal_conv1d under `causal`: (batch, channels, steps) -> logits."""

    def __init__(
        self,
        inputs: int,
        classes: int,
        channels: int = 32,
        kernel_size: int = 3,
        levels: int = 3,
        dropout: float = 0.0,
        weight_norm: bool = False,
        head: str = "average",
    ) -> None:
        super().__init__()
        self.kernel_size, self.levels, self.dropout, self.head = kernel_size, levels, dropout, head
        for level in range(levels):
            for i in (1, 2):
                conv: nn.Module = nn.Conv1d(inputs, channels, kernel_size, dilation=2**level)
                if weight_norm:
                    conv = parametrizations.weight_norm(conv)
                self.add_module(f"level{level + 1}_conv{i}", conv)
                if level == 0 and i == 1 and inputs != channels:
                    self.level1_skip = nn.Conv1d(inputs, channels, 1)
                inputs = channels
        self.logits = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for level in range(self.levels):
            skip = x
            for i in (1, 2):
                x = F.pad(x, ((self.kernel_size - 1) * 2**level, 0))
                x = F.relu(self.get_submodule(f"level{level + 1}_conv{i}")(x), inplace=True)
                if self.dropout:
                    x = F.dropout(x, self.dropout, self.training)
            if skip.shape[1] != x.shape[1]:
                skip = self.level1_skip(skip)
            x = F.relu(x + skip, inplace=True)
        return self.logits(x[..., -1] if self.head == "last" else x.mean(-1))


def _normalised(channels: int, filters: int, size: int, name: str) -> OrderedDict[str, nn.Module]:
    conv = nn.Conv2d(channels, filters, size, padding=size // 2, bias=False)
    return OrderedDict(
        {
            name.format("conv"): conv,
            name.format("bn"): nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01),
            name.format("relu"): nn.ReLU(inplace=True),
        }
    )


def _with_head(
    layers: OrderedDict[str, nn.Module], channels: int, classes: int, dropout: float = 0.0
) -> nn.Sequential:
    layers["head_pool"] = nn.AdaptiveAvgPool2d(1)
    layers["head_flatten"] = nn.Flatten()
    layers["head_dropout"] = nn.Dropout(dropout)
    layers["logits"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)


@torch.no_grad()
def copy_weights(model: Any, network: nn.Module) -> None:
    """Copy the weights of a Keras model to the PyTorch layers of the same names."""
    for layer in model.layers:
        if not layer.weights:
            continue
        target = network.get_submodule(layer.name)
        for variable in layer.weights:
            value = torch.from_numpy(variable.numpy().copy())
            _tensor(target, variable.name).copy_(value if value.ndim == 1 else _turned(value))


def _tensor(layer: nn.Module, name: str) -> Any:
    if name in ("kernel", "g") and parametrize.is_parametrized(layer):
        originals = layer.parametrizations.weight
        return originals.original1 if name == "kernel" else originals.original0.view(-1)
    names = {
        "kernel": "weight",
        "gamma": "weight",
        "beta": "bias",
        "moving_mean": "running_mean",
        "moving_variance": "running_var",
    }
    return getattr(layer, names.get(name, name))


def _turned(kernel: torch.Tensor) -> torch.Tensor:
    """(*spatial, in, out) -> (out, in, *spatial)."""
    return kernel.movedim((-1, -2), (0, 1))
