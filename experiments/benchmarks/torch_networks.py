"""The zoo's networks in PyTorch, layer for layer under the same names, for the speed comparison.

Each is a plain `torch.nn` module in PyTorch's own layout, (batch, channels, *spatial), with
Keras' numbers where the two differ in their defaults: batch normalisation has epsilon 0.001 and
forgets 1 % a step. `copy_weights` carries a Keras model's weights over by the layers' names.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrizations, parametrize


def small_cnn(
    channels: int,
    classes: int,
    widths: Sequence[int] = (16, 32, 64),
    convs_per_stage: Sequence[int] = (2, 2, 1),
) -> nn.Sequential:
    """`models.small_cnn` under padding `same`: (batch, channels, height, width) -> logits."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for stage, (width, convs) in enumerate(zip(widths, convs_per_stage, strict=True), start=1):
        if stage > 1:
            layers[f"stage{stage - 1}_pool"] = nn.MaxPool2d(2)
        for i in range(1, convs + 1):
            layers[f"stage{stage}_conv{i}"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            layers[f"stage{stage}_bn{i}"] = nn.BatchNorm2d(width, eps=1e-3, momentum=0.01)
            layers[f"stage{stage}_relu{i}"] = nn.ReLU(inplace=True)
            channels = width
    layers["head_pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["logits"] = nn.Linear(channels, classes)
    return nn.Sequential(layers)


class CausalConv1D(nn.Module):
    """`models.causal_conv1d` under padding `causal`: (batch, channels, steps) -> logits."""

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


@torch.no_grad()
def copy_weights(model: Any, network: nn.Module) -> None:
    """Carry the weights of a Keras model to the PyTorch layers of the same names."""
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
