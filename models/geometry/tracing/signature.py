"""Which networks compute the same: a digest of every layer and of the content of its border.

Two paddings that give the same computation at the sizes of a network have the same signature:
`half` and `same` at stride 1 with odd kernels, `replicate` and `symmetric` at one pixel, and every
mode where nothing is padded.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import keras

from ...layers.base import Bordered, is_of
from ...padding import MODES, Padding
from ...padding.axes import terms
from ...padding.definitions import IndexRule
from ...padding.modes import ZEROS

# Arguments that describe the padding; `border` says which pixels they amount to.
DESCRIBING = ("padding", "border_seed", "count_include_pad")


def signature(model: keras.Model) -> str:
    """Return a digest, 12 hexadecimal digits, of a built functional model without its weights."""
    layers = [_layer(layer) for layer in model.layers]
    links = [
        [x.name for x in node.input_tensors]
        for layer in model.layers
        for node in layer._inbound_nodes
    ]
    content = json.dumps([layers, _numbered(links)], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def border(layer: Bordered, shape: tuple[int | None, ...]) -> list[Any]:
    """Return what a layer's border holds on a map of this shape, axis by axis.

    Args:
        shape: (batch, *spatial, channels); copied pixels need their axis' size.

    Returns:
        None for an axis without a border; (before, after) and for a copied border the pixels
        it shows; what is written into the others; how many channels' windows are shifted. Of a
        transposed convolution the first output that it keeps, how many, and the same of the
        border that its map goes on by.
    """
    if hasattr(layer, "input_widths"):
        return _of_transposed(layer, shape)
    widths = layer.widths if hasattr(layer, "widths") else layer.pad_widths(shape)
    modes = layer.border.modes(layer.RANK)
    splits = layer.splits(shape) if hasattr(layer, "splits") else (False,) * layer.RANK
    axes = zip(shape[1:-1], widths, modes, splits, strict=True)
    return [_axis(*axis, layer.border) for axis in axes]


def _of_transposed(layer: Any, shape: tuple[int | None, ...]) -> list[Any]:
    sizes = shape[1:-1]
    kept = zip(layer.cut_widths(), layer.output_sizes(sizes), strict=True)
    goes_on = zip(sizes, layer.input_widths(sizes), layer.border.modes(layer.RANK), strict=True)
    return [
        [before, outputs, _axis(*axis, False, layer.border)]
        for ((before, _), outputs), axis in zip(kept, goes_on, strict=True)
    ]


def _axis(
    size: int | None, width: tuple[int, int], mode: str, split: bool, padding: Padding
) -> list[Any] | None:
    if not any(width):
        return None
    content: Any = mode
    rule = MODES[mode]
    if rule.takes_value:
        content = ZEROS if padding.value == 0 else padding.value
    elif isinstance(rule, IndexRule) and not rule.writes and size is not None:
        ((index, _),) = terms(size, *width, mode)
        content = index.tolist()
    return [*width, content, split]


def _layer(layer: Any) -> list[Any]:
    config = {key: value for key, value in layer.get_config().items() if key not in DESCRIBING}
    shown = [type(layer).__name__, config]
    if is_of(layer, Bordered):
        neutral = hasattr(layer, "reads_border") and not layer.reads_border
        for node in layer._inbound_nodes:
            shape = tuple(node.input_tensors[0].shape)
            axes = border(layer, shape)
            shown.append([axis and axis[:2] for axis in axes] if neutral else axes)
        if neutral:
            shown.append("neutral")
    elif "padding" in layer.get_config():
        shown.append(layer.get_config()["padding"])
    return shown


def _numbered(links: list[list[str]]) -> list[list[int]]:
    """Names of tensors by their order: Keras counts them on from network to network."""
    order: dict[str, int] = {}
    return [[order.setdefault(name, len(order)) for name in names] for names in links]
