"""Which networks compute the same: a digest of every layer and of the content of its border.

Two paddings that give the same computation at the sizes of a network have the same signature:
`half` and `same` at stride 1 with odd kernels, `replicate` and `symmetric` at one pixel, and every
mode where nothing is padded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from ...layers.base import Bordered, is_of
from ...padding import MODES, Padding, Widths
from ...padding.axes import terms
from ...padding.definitions import IndexRule
from ...padding.modes import ZEROS, plane_of
from ...padding.planes import fits, plane_pixels

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
    return _axes(shape[1:-1], widths, modes, splits, layer.border)


def _of_transposed(layer: Any, shape: tuple[int | None, ...]) -> list[Any]:
    sizes, modes = shape[1:-1], layer.border.modes(layer.RANK)
    splits = (False,) * layer.RANK
    goes_on = _axes(sizes, layer.input_widths(sizes), modes, splits, layer.border)
    kept = zip(layer.cut_widths(), layer.output_sizes(sizes), goes_on, strict=True)
    return [[before, outputs, axis] for (before, _), outputs, axis in kept]


def _axes(
    sizes: Sequence[int | None],
    widths: Widths,
    modes: Sequence[str],
    splits: Sequence[bool],
    padding: Padding,
) -> list[list[Any] | None]:
    contents = [_content(*axis, padding) for axis in zip(sizes, widths, modes, strict=True)]
    if plane := plane_of(modes):
        known = [n for n in sizes if n is not None]
        if len(known) == len(sizes) and fits(known, modes):
            contents = _of_plane(known, widths, plane)
    axes = zip(widths, contents, splits, strict=True)
    return [[*width, content, split] if any(width) else None for width, content, split in axes]


def _content(size: int | None, width: tuple[int, int], mode: str, padding: Padding) -> Any:
    rule = MODES[mode]
    if rule.takes_value:
        return ZEROS if padding.value == 0 else padding.value
    if isinstance(rule, IndexRule) and not rule.writes and size is not None:
        ((index, _),) = terms(size, *width, mode)
        return index.tolist()
    return mode


def _of_plane(sizes: Sequence[int], widths: Widths, plane: str) -> list[Any]:
    """The pixels shown: axis by axis where rows and columns go on apart, else of all a digest."""
    rows, columns = np.divmod(pixels := plane_pixels(sizes, widths, plane), sizes[1])
    if (rows == rows[:, :1]).all() and (columns == columns[:1]).all():
        return [rows[:, 0].tolist(), columns[0].tolist()]
    return [hashlib.sha256(pixels.astype("<i8").tobytes()).hexdigest()] * 2


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
