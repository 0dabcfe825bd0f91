"""The cases of the speed comparison: networks, sizes and generated data, same for every loop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data import Spec, Split

CLASSES = 10


@dataclass(frozen=True)
class Case:
    """A network of the zoo with its options, its padding and its input shape."""

    model: str
    padding: str
    input_shape: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)

    def overrides(self) -> list[str]:
        """The overrides that choose this network on the command line of train.py."""
        options = [f"model.{key}={value}" for key, value in self.options.items()]
        return [f"model={self.model}", f"padding={self.padding}", *options]


TCN = {
    "levels": 8,
    "channels": 25,
    "kernel_size": 7,
    "dropout": 0.05,
    "weight_norm": True,
    "head": "last",
}
CASES = {
    "small_cnn": Case("small_cnn", "same", (28, 28, 1)),
    "vgg16": Case("vgg16", "same", (32, 32, 3), {"width": 0.25}),
    "inception": Case("inception", "same", (28, 28, 1)),
    "causal_conv1d": Case("causal_conv1d", "causal", (40, 1)),
    "tcn": Case("causal_conv1d", "causal", (784, 1), TCN),  # as published for sequential MNIST
}
ON_A_GPU = {"vgg16_full": Case("vgg16", "same", (32, 32, 3))}


def case(name: str) -> Case:
    """The case with this name, including those for a GPU."""
    return {**CASES, **ON_A_GPU}[name]


def examples(case: Case, count: int) -> Split:
    """`count` labelled examples of noise, the same in every process."""
    random = np.random.default_rng(0)
    x = random.standard_normal((count, *case.input_shape), dtype=np.float32)
    y = random.integers(0, CLASSES, count, dtype=np.int32)
    return Split(x, y, np.arange(count))


def spec(case: Case) -> Spec:
    """The description of the generated data that a network needs."""
    channels = case.input_shape[-1]
    return Spec(
        kind="image" if len(case.input_shape) == 3 else "sequence",
        input_shape=case.input_shape,
        num_classes=CLASSES,
        class_names=tuple(map(str, range(CLASSES))),
        fingerprint="noise",
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        normalize="none",
        validation="none",
        test="none",
    )
