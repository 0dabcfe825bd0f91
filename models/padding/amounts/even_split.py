"""As same, but the odd pixel goes to another side with each channel; ceil(n / s) outputs.

Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding" (arXiv:1903.08385).
Where T is odd, both sides get ceil(T / 2) pixels and each channel's window leaves one of them out:
channel i of the layer's input has the odd pixel at corner i mod 4 of an image (top left, top right,
bottom left, bottom right), on side i mod 2 of a sequence (before, after).
"""

from __future__ import annotations

from ..definitions import Amount, WindowAxis

_NO_KERNEL = "'even_split' moves each channel's kernel, and {layer} has none"


def pads(axis: WindowAxis) -> tuple[int, int]:
    """Return ceil(T / 2) for each side."""
    side = axis.same_total - axis.same_total // 2
    return side, side


AMOUNT = Amount(
    pads=pads,
    splits=lambda axis: axis.same_total % 2 == 1,
    refused={
        "transposed": (
            "'even_split' moves the channels that a kernel reads, and {layer} writes them"
        ),
        "maximum": _NO_KERNEL,
        "average": _NO_KERNEL,
    },
)
