"""The fifteen relationships between the sizes of a layer's input and output. No framework.

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285), whose numbers are kept. Sizes are of one axis, in pixels: `i` input, `k` kernel,
`s` stride, `p` padding on each side, `d` dilation, `a` output padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...messages import unknown
from .. import arithmetic

KINDS = ("conv", "pool", "transposed")
DEFAULTS: dict[str, dict[str, int]] = {
    "conv": {"input": 5, "kernel": 3, "stride": 2, "pad": 1, "dilation": 1},
    "pool": {"input": 5, "kernel": 3, "stride": 1, "pad": 0},
    "transposed": {"input": 3, "kernel": 3, "stride": 2, "pad": 1, "output_padding": 1},
}


class ExplainError(ValueError):
    """Numbers that belong to no layer; the message is one plain line."""


@dataclass(frozen=True)
class Numbers:
    """One axis of a layer; for a transposed one of the convolution that it transposes.

    `x` and `w` are the input and the kernel that are worked by hand; empty for 1, 2, 3, …
    """

    input: int
    kernel: int
    stride: int = 1
    pad: int = 0
    dilation: int = 1
    output_padding: int = 0
    x: tuple[int, ...] = ()
    w: tuple[int, ...] = ()

    @property
    def window(self) -> int:
        """Pixels that the dilated kernel spans."""
        return arithmetic.window_size(self.kernel, self.dilation)

    @property
    def half(self) -> bool:
        """Whether the padding keeps the size at stride 1: an odd window, half of it a side."""
        return self.window % 2 == 1 and self.pad == self.window // 2

    @property
    def full(self) -> bool:
        """Whether every weight meets every pixel."""
        return self.pad == self.window - 1


@dataclass(frozen=True)
class Relationship:
    """One of the fifteen: what it is for, when it holds, the formula, and the size it gives."""

    number: int
    title: str
    holds: Callable[[Numbers], bool]
    formula: str
    size: Callable[[Numbers], int]


def slid(n: Numbers) -> int:
    """Return how many places a window has that slides."""
    return (n.input + 2 * n.pad - n.window) // n.stride + 1


def stamped(n: Numbers) -> int:
    """Return how many pixels an input spreads over, each putting down a kernel."""
    return n.stride * (n.input - 1) + n.output_padding + n.window - 2 * n.pad


def _plain(n: Numbers) -> bool:
    return n.dilation == 1


def _unit(n: Numbers) -> bool:
    return n.stride == 1 and n.dilation == 1


RELATIONSHIPS: dict[str, tuple[Relationship, ...]] = {
    "conv": (
        Relationship(
            1,
            "no padding, stride 1",
            lambda n: _unit(n) and n.pad == 0,
            "(i − k) + 1",
            lambda n: n.input - n.kernel + 1,
        ),
        Relationship(
            2, "stride 1", _unit, "(i − k) + 2p + 1", lambda n: n.input - n.kernel + 2 * n.pad + 1
        ),
        Relationship(
            3,
            "half ('same') padding: k odd, p = ⌊k / 2⌋, stride 1",
            lambda n: _unit(n) and n.half,
            "i",
            lambda n: n.input,
        ),
        Relationship(
            4,
            "full padding: p = k − 1, stride 1",
            lambda n: _unit(n) and n.full,
            "i + (k − 1)",
            lambda n: n.input + n.kernel - 1,
        ),
        Relationship(
            5,
            "no padding, any stride",
            lambda n: _plain(n) and n.pad == 0,
            "⌊(i − k) / s⌋ + 1",
            lambda n: (n.input - n.kernel) // n.stride + 1,
        ),
        Relationship(6, "any padding, any stride", _plain, "⌊(i + 2p − k) / s⌋ + 1", slid),
        Relationship(
            15, "dilated", lambda _: True, "⌊(i + 2p − k − (k − 1)(d − 1)) / s⌋ + 1", slid
        ),
    ),
    "pool": (
        Relationship(
            7,
            "pooling, no padding",
            lambda n: n.pad == 0,
            "⌊(i − k) / s⌋ + 1",
            lambda n: (n.input - n.kernel) // n.stride + 1,
        ),
    ),
    "transposed": (
        Relationship(
            8,
            "the transpose of 1: p = 0, stride 1",
            lambda n: n.stride == 1 and n.pad == 0,
            "i + (k − 1)",
            lambda n: n.input + n.window - 1,
        ),
        Relationship(
            9,
            "the transpose of 2: stride 1",
            lambda n: n.stride == 1,
            "i + (k − 1) − 2p",
            lambda n: n.input + n.window - 1 - 2 * n.pad,
        ),
        Relationship(
            10,
            "the transpose of 3: k odd, p = ⌊k / 2⌋, stride 1",
            lambda n: n.stride == 1 and n.half,
            "i",
            lambda n: n.input,
        ),
        Relationship(
            11,
            "the transpose of 4: p = k − 1, stride 1",
            lambda n: n.stride == 1 and n.full,
            "i − (k − 1)",
            lambda n: n.input - (n.window - 1),
        ),
        Relationship(
            12,
            "the transpose of 5: p = 0, (o − k) a multiple of s",
            lambda n: n.pad == 0 and n.output_padding == 0,
            "s(i − 1) + k",
            lambda n: n.stride * (n.input - 1) + n.window,
        ),
        Relationship(
            13,
            "the transpose of 6: (o + 2p − k) a multiple of s",
            lambda n: n.output_padding == 0,
            "s(i − 1) + k − 2p",
            lambda n: n.stride * (n.input - 1) + n.window - 2 * n.pad,
        ),
        Relationship(
            14,
            "the transpose of 6: a = (o + 2p − k) mod s",
            lambda _: True,
            "s(i − 1) + a + k − 2p",
            stamped,
        ),
    ),
}


def relationships(kind: str, **numbers: int) -> list[Relationship]:
    """Return the relationships that hold for these numbers, in the paper's order.

    Raises:
        ExplainError: as `read`.
    """
    n = read(kind, **numbers)
    return [r for r in RELATIONSHIPS[kind] if r.holds(n)]


def size(kind: str, **numbers: int) -> int:
    """Return the output's pixels; raises as `read`."""
    n = read(kind, **numbers)
    return stamped(n) if kind == "transposed" else slid(n)


def read(kind: str, **numbers: int) -> Numbers:
    """Return the numbers of a layer; what is missing is taken from `DEFAULTS`.

    Args:
        kind: one of `KINDS`.

    Raises:
        ExplainError: for an unknown kind or number, or numbers that belong to no layer.
    """
    if kind not in KINDS:
        raise ExplainError(unknown("layer to explain", kind, KINDS))
    for name, value in numbers.items():
        if name not in DEFAULTS[kind]:
            allowed = ", ".join(DEFAULTS[kind])
            raise ExplainError(f"{name} means nothing for {kind}; its numbers are {allowed}")
        least = 0 if name in ("pad", "output_padding") else 1
        if value < least:
            raise ExplainError(f"{name} must be at least {least}; got {value}")
    n = Numbers(**_completed(kind, numbers))
    _check(kind, n)
    return n


def _completed(kind: str, numbers: dict[str, int]) -> dict[str, Any]:
    """The example's numbers, but none that what is given would forbid."""
    found: dict[str, Any] = {**DEFAULTS[kind], **numbers}
    if kind == "transposed" and "output_padding" not in numbers:
        found["output_padding"] = min(found["output_padding"], found["stride"] - 1)
    if kind == "transposed" and "pad" not in numbers:
        found["pad"] = min(found["pad"], found["kernel"] - 1)
    return found


def _check(kind: str, n: Numbers) -> None:
    if kind == "transposed":
        if n.output_padding >= n.stride:
            raise ExplainError(
                f"output padding is what a stride leaves over, so it is less than the stride: at "
                f"most {n.stride - 1} here; got {n.output_padding}"
            )
        if n.pad > n.window - 1:
            raise ExplainError(
                f"a convolution with more padding than k − 1 = {n.window - 1} has no transpose "
                f"among the relationships; got pad={n.pad}"
            )
        if stamped(n) < 1:
            raise ExplainError("nothing is left of the output: take less padding, or more input")
    elif n.window > n.input + 2 * n.pad:
        raise ExplainError(
            f"the window spans {n.window} pixels and the padded input has {n.input + 2 * n.pad}: "
            "the map collapses"
        )
