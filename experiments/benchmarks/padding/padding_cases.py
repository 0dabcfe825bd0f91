"""The cases of the padding benchmark: layers and networks, each under two or more paddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from models.padding import MODES, Padding
from models.padding.modes import ZEROS
from models.padding.planes import fits
from models.padding.supports import supports

CONTROL = "zeros again"
OTHERS = tuple(mode for mode in MODES if mode != ZEROS)
CLASSES = 10


@dataclass(frozen=True)
class Variant:
    """One side of a comparison.

    Attributes:
        label: its name in the tables.
        padding: of the layer, or of every layer of the network.
        grown: pixels by which the input is larger on each axis, because it includes its border.
    """

    label: str
    padding: Padding
    grown: int = 0


@dataclass(frozen=True)
class Case:
    """A layer or a network on a batch: a reference and the variants compared with it.

    Attributes:
        section: "layers", "models" or "pytorch".
        table: the table in which the case is a column.
        kind: a class of `models.layers`, or a model's name.
        shape: (batch, *spatial, channels) of the input.
        options: of the layer or the model.
        heavy: takes minutes on a slow back end; measured only on a fast one.
    """

    section: str
    table: str
    kind: str
    shape: tuple[int, ...]
    reference: Variant
    variants: tuple[Variant, ...]
    options: dict[str, Any] = field(default_factory=dict)
    heavy: bool = False

    @property
    def is_layer(self) -> bool:
        """Whether the case is one layer; it has as many filters as channels."""
        return self.kind[0].isupper()

    @property
    def name(self) -> str:
        """Kind, options and size, as in the heading of a table."""
        batch, *sizes, channels = self.shape
        short = {"kernel_size": "k", "strides": "s", "dilation_rate": "d", "width": "width "}
        options = "".join(f" {short.get(k, k)}{v}" for k, v in self.options.items())
        size = "×".join(map(str, sizes))
        return f"{self.kind}{options}, {batch}×{size}×{channels}"

    def shrunk(self) -> Case:
        """The same case on the smallest batch, to see that it runs."""
        return replace(self, shape=(2, *self.shape[1:]))


def against_zeros(
    amount: str, modes: Sequence[str], layer: str = "Conv2D", maps: Sequence[Sequence[int]] = ()
) -> tuple[Variant, tuple[Variant, ...]]:
    """Return zeros, and the variants: a second build of zeros and every mode for this amount.

    Args:
        amount, modes: of the paddings.
        layer: which they pad; what it does not take is left out.
        maps: the sizes of the maps that are padded; what does not take them is left out.
    """
    zeros = Padding(amount)
    chosen = [
        mode
        for mode in modes
        if supports(amount, mode, layer) is None and all(fits(sizes, [mode]) for sizes in maps)
    ]
    variants = [Variant(mode, Padding(amount, mode)) for mode in chosen]
    return Variant("zeros", zeros), (Variant(CONTROL, zeros), *variants)


def layers(modes: Sequence[str] = OTHERS) -> list[Case]:
    """Single layers: every mode with the amount `same`, some with `causal`; then other amounts."""
    sizes: list[tuple[str, tuple[int, ...], dict[str, int]]] = [
        ("Conv2D", (64, 28, 28, 16), {"kernel_size": 3}),
        ("Conv2D", (64, 32, 32, 64), {"kernel_size": 3}),
        ("Conv2D", (16, 64, 64, 32), {"kernel_size": 3}),
        ("Conv2D", (4, 128, 128, 32), {"kernel_size": 3}),
        ("Conv2D", (64, 14, 14, 32), {"kernel_size": 3}),
        ("Conv2D", (32, 28, 28, 16), {"kernel_size": 5}),
        ("Conv2D", (64, 28, 28, 32), {"kernel_size": 3, "strides": 2}),
        ("DepthwiseConv2D", (32, 28, 28, 64), {"kernel_size": 3}),
        ("Conv1D", (64, 40, 32), {"kernel_size": 3}),
        ("Conv1D", (64, 40, 32), {"kernel_size": 3, "dilation_rate": 4}),
    ]
    found = [
        Case("layers", "layers, same", kind, shape, *against_zeros("same", modes, kind), options)
        for kind, shape, options in sizes
    ]
    found += [
        Case(
            "layers", "layers, causal", kind, shape, *against_zeros("causal", modes, kind), options
        )
        for kind, shape, options in sizes
        if kind == "Conv1D"
    ]
    return found + amounts()


def amounts() -> list[Case]:
    """Zeros with other amounts than `same`, each compared with the most similar amount."""
    same, half, ones = Padding("same"), Padding("half"), Padding(((1, 1), (1, 1)))
    split = Variant("even_split ÷ same", Padding("even_split"))
    control = Variant(CONTROL, same)

    def case(size: tuple[int, ...], options: dict[str, int], *variants: Variant) -> Case:
        return Case("layers", "amounts", "Conv2D", size, *_split(variants), options)

    return [
        case((64, 28, 28, 16), {"kernel_size": 4}, Variant("same", same), control, split),
        case((64, 28, 28, 16), {"kernel_size": 2}, Variant("same", same), control, split),
        case(
            (64, 28, 28, 16),
            {"kernel_size": 3},
            Variant("same", same),
            control,
            Variant("half ÷ same", half),
        ),
        case(
            (64, 28, 28, 32),
            {"kernel_size": 3, "strides": 2},
            Variant("valid", Padding("valid"), grown=2),
            Variant("[[1, 1], [1, 1]] ÷ valid on the ready-padded map", ones),
        ),
    ]


def _split(variants: Sequence[Variant]) -> tuple[Variant, tuple[Variant, ...]]:
    return variants[0], tuple(variants[1:])


def models(modes: Sequence[str] = OTHERS) -> list[Case]:
    """Whole networks: every mode with the amount `same`, and on sequences with `causal`."""
    steps_same, causal = (against_zeros(amount, modes, "Conv1D") for amount in ("same", "causal"))
    same, of_28 = against_zeros("same", modes), against_zeros("same", modes, maps=HALVED_FROM_28)
    table = "models, same"
    found = [Case("models", table, "small_cnn", (batch, 28, 28, 1), *of_28) for batch in SMALL_CNN]
    found += [
        Case("models", table, "vgg16", (32, 32, 32, 3), *same, {"width": 0.25}),
        Case("models", table, "vgg16", (16, 32, 32, 3), *same, heavy=True),
    ]
    for batch, steps in ((64, 40), (16, 784)):
        shape = (batch, steps, 1)
        found += [
            Case("models", table, "causal_conv1d", shape, *steps_same),
            Case("models", "models, causal", "causal_conv1d", shape, *causal),
        ]
    return found


SMALL_CNN = (16, 64, 256)
HALVED_FROM_28 = ((28, 28), (14, 14), (7, 7))  # of small_cnn and inception
TORCH_MODES = ("reflect", "replicate", "circular")


def pytorch(modes: Sequence[str] = OTHERS) -> list[Case]:
    """The cases for which PyTorch has modes, with PyTorch's names."""
    chosen = [mode for mode in modes if mode in TORCH_MODES]
    chosen_cases = [*layers(chosen), *models(chosen)]
    return [
        replace(case, section="pytorch", table=f"PyTorch, {case.section}")
        for case in chosen_cases
        if case.table in ("layers, same", "models, same")
        and case.kind in ("Conv2D", "small_cnn", "vgg16")
        and "strides" not in case.options
    ]
