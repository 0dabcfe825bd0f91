"""Which amounts and modes mean something for which layer, and why the others do not."""

from __future__ import annotations

from typing import Any, NamedTuple

from .amounts import AMOUNTS, is_causal
from .checks import PaddingError, check_name
from .factors import Padding
from .modes import AXIS_MODES, CAUSAL_MODES, MODES, ZEROS, plane_of
from .names import INPUT


class LayerKind(NamedTuple):
    """The number of spatial axes, and what is computed of a window (`definitions.COMPUTES`)."""

    rank: int
    computes: str


LAYERS = {
    "Conv1D": LayerKind(1, "convolution"),
    "WeightNormConv1D": LayerKind(1, "convolution"),
    "Conv1DTranspose": LayerKind(1, "transposed"),
    "MaxPooling1D": LayerKind(1, "maximum"),
    "AveragePooling1D": LayerKind(1, "average"),
    "PadInput1D": LayerKind(1, "image"),
    "Conv2D": LayerKind(2, "convolution"),
    "DepthwiseConv2D": LayerKind(2, "convolution"),
    "SeparableConv2D": LayerKind(2, "convolution"),
    "Conv2DTranspose": LayerKind(2, "transposed"),
    "MaxPooling2D": LayerKind(2, "maximum"),
    "AveragePooling2D": LayerKind(2, "average"),
    "PadInput2D": LayerKind(2, "image"),
}
LAYER_RANK = {name: kind.rank for name, kind in LAYERS.items()}


def supports(amount: Any, mode: Any, layer: str) -> str | None:
    """Return why a layer cannot be padded so, or None if it can.

    Args:
        amount, mode: as in `Padding`.
        layer: a layer kind, a key of `LAYERS`.

    Returns:
        None if it can, else the reason why not, as one sentence.

    Raises:
        PaddingError: if the amount, the mode or the layer does not exist.

    Example: `supports("causal", "reflect", "Conv1D")` is "mode 'reflect' looks into the future, …".
    """
    check_name("layer", layer, LAYERS)
    padding, rank = Padding(amount, mode), LAYERS[layer].rank
    if LAYERS[layer].computes == "image":
        return _of_the_input(padding, rank, layer)
    if padding.amount == INPUT:
        return f"'input' pads a network's image once and is not an amount of {layer}"
    if isinstance(padding.amount, str) and is_causal(padding.amount) and rank > 1:
        name = padding.amount
        return (
            f"'{name}' has one axis and {layer} has {rank}: write one amount per axis, "
            f"such as ['{name}', 'same']"
        )
    try:
        axes = tuple(zip(padding.amounts(rank), padding.modes(rank), strict=True))
    except PaddingError as error:
        return str(error)
    for axis_amount, axis_mode in axes:
        turned = is_causal(axis_amount) and LAYERS[layer].computes == "transposed"
        if turned and axis_mode != ZEROS:
            return (
                f"'{axis_amount}' turns round in {layer}, the gradient of a convolution, and looks "
                "ahead, so it takes zeros only"
            )
        if is_causal(axis_amount) and MODES[axis_mode].looks_ahead:
            return (
                f"mode '{axis_mode}' looks into the future, so '{axis_amount}' takes "
                f"{', '.join(CAUSAL_MODES)} only"
            )
    return _of_one_mode(padding) or _of_the_layer(padding, layer)


def _of_the_input(padding: Padding, rank: int, layer: str) -> str | None:
    amounts = padding.amount if isinstance(padding.amount, tuple) else (padding.amount,)
    if any(isinstance(amount, str) and amount != INPUT for amount in amounts):
        return f"{layer} has no window, so it takes 'input' or a number of pixels"
    try:
        padding.amounts(rank), padding.modes(rank)
    except PaddingError as error:
        return str(error)
    return _of_one_mode(padding) or _of_the_layer(padding, layer)


def _of_one_mode(padding: Padding) -> str | None:
    if isinstance(padding.mode, tuple):
        for mode in padding.mode:
            if mode not in AXIS_MODES:
                return (
                    f"mode '{mode}' fills the whole border at once; modes that can differ "
                    f"between axes are {', '.join(AXIS_MODES)}"
                )
    return None


def _of_the_layer(padding: Padding, layer: str) -> str | None:
    modes = padding.mode_names
    entries = padding.amount if isinstance(padding.amount, tuple) else (padding.amount,)
    amounts = [name for name in entries if isinstance(name, str) and name in AMOUNTS]
    computes, rank = LAYERS[layer].computes, LAYERS[layer].rank
    plane = plane_of(modes)
    if plane and rank != 2:
        return f"mode '{plane}' goes on by rows and columns of an image, and {layer} has one axis"
    refusals = [
        *(AMOUNTS[amount].refused.get(computes) for amount in amounts),
        *(MODES[mode].refused.get(amount) for mode in modes for amount in amounts),
        *(MODES[mode].refused.get(computes) for mode in modes),
    ]
    return next((why.format(layer=layer) for why in refusals if why), None)
