"""Which amounts and modes mean something for which layer, and why the others do not."""

from __future__ import annotations

from typing import Any

from .factors import Padding
from .names import AXIS_MODES, INPUT, PaddingError, check_name

CAUSAL_MODES = ("zeros", "constant", "replicate", "learned", "partial")
LAYER_RANK = {
    "Conv1D": 1,
    "WeightNormConv1D": 1,
    "Conv1DTranspose": 1,
    "MaxPooling1D": 1,
    "AveragePooling1D": 1,
    "PadInput1D": 1,
    "Conv2D": 2,
    "DepthwiseConv2D": 2,
    "SeparableConv2D": 2,
    "Conv2DTranspose": 2,
    "MaxPooling2D": 2,
    "AveragePooling2D": 2,
    "PadInput2D": 2,
}


def supports(amount: Any, mode: Any, layer: str) -> str | None:
    """Say whether a layer can be padded so.

    Args:
        amount, mode: as in `Padding`.
        layer: a layer kind, a key of `LAYER_RANK`.

    Returns:
        None if it can, else the reason why not, as one sentence.

    Raises:
        PaddingError: if the amount, the mode or the layer does not exist.
    """
    check_name("layer", layer, LAYER_RANK)
    padding, rank = Padding(amount, mode), LAYER_RANK[layer]
    if layer.startswith("PadInput"):
        return _of_the_input(padding, rank, layer)
    if padding.amount == INPUT:
        return f"'input' pads a network's picture once and is not an amount of {layer}"
    if padding.amount == "causal" and rank > 1:
        return (
            f"'causal' has one axis and {layer} has {rank}: write one amount per axis, "
            "such as ['causal', 'same']"
        )
    try:
        axes = tuple(zip(padding.amounts(rank), padding.modes(rank), strict=True))
    except PaddingError as error:
        return str(error)
    for axis_amount, axis_mode in axes:
        if axis_amount == "causal" and axis_mode not in CAUSAL_MODES:
            return (
                f"mode '{axis_mode}' looks into the future, so 'causal' takes "
                f"{', '.join(CAUSAL_MODES)} only"
            )
    splits = any(amount == "even_split" for amount, _ in axes)
    return _of_one_mode(padding) or _of_the_layer(padding, layer, splits)


def _of_the_input(padding: Padding, rank: int, layer: str) -> str | None:
    amounts = padding.amount if isinstance(padding.amount, tuple) else (padding.amount,)
    if any(isinstance(amount, str) and amount != INPUT for amount in amounts):
        return f"{layer} has no window, so it takes 'input' or a number of pixels"
    if padding.mode == "partial":
        return "'partial' rescales what a convolution computes, and the picture is not computed"
    try:
        padding.amounts(rank), padding.modes(rank)
    except PaddingError as error:
        return str(error)
    return _of_one_mode(padding)


def _of_one_mode(padding: Padding) -> str | None:
    if isinstance(padding.mode, tuple):
        for mode in padding.mode:
            if mode not in AXIS_MODES:
                return (
                    f"mode '{mode}' fills the whole border at once; modes that can differ "
                    f"between axes are {', '.join(AXIS_MODES)}"
                )
    return None


def _of_the_layer(padding: Padding, layer: str, splits: bool) -> str | None:
    if layer.endswith("Transpose"):
        modes = padding.mode if isinstance(padding.mode, tuple) else (padding.mode,)
        if set(modes) != {"zeros"}:
            return f"{layer} cuts its output and reads no border, so it takes zeros only"
        if splits:
            return f"'even_split' moves the channels that a kernel reads, and {layer} writes them"
    if splits and "Pooling" in layer:
        return f"'even_split' moves each channel's kernel, and {layer} has none"
    if splits and padding.mode == "partial":
        return "'partial' counts the pixels under one window, and 'even_split' has one per corner"
    if padding.mode == "partial" and layer.startswith("Max"):
        return f"'partial' rescales a sum, and {layer} has none"
    return None
