"""Draw the small pictures of the README: what a padding does to a row of six pixels.

    python -m docs.padding_pictures        writes docs/pictures/padding-<name>.svg

They are drawn with the functions that pad the networks, for a kernel of size 5 and stride 2, where
every amount differs from every other. A padding that treats rows and columns differently, or both
together, is drawn on a 3×4 map under a kernel of size 3; `input` is drawn on a row, followed by the
maps that two unpadded kernels of size 3 leave.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.padding import MODES, NAMED, Padding
from models.padding.amounts import is_split, pad_amounts
from models.padding.axes import axis_matrix, mask_scale, outside
from models.padding.definitions import IndexRule, Mask, Statistic, Weight
from models.padding.modes import plane_of
from models.padding.names import INPUT
from models.padding.planes import plane_pixels

PIXELS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")  # viridis
EMPTY, GREY = "none", "#888888"
KERNEL_SIZE, STRIDES = 5, 2
MOST = KERNEL_SIZE - 1
PITCH, GAP = 16, 2
LAYERS_AFTER_INPUT = 2
SMALL_KERNEL, SMALL_MAP = 3, (3, 4)

Cells = list[tuple[int, str]]  # position in the row, and colour or text


def picture(padding: Padding) -> str:
    """An SVG of a padded row or map: pixels are solid, border cells dashed, zeros empty."""
    together = plane_of(padding.mode_names)
    if isinstance(padding.amount, tuple) or isinstance(padding.mode, tuple) or together:
        return grid(padding)
    if padding.amount == INPUT:
        return _row_then_maps(padding)
    (amount,) = padding.amounts(1)
    before, after = pad_amounts(amount, len(PIXELS), KERNEL_SIZE, STRIDES, 1)
    if is_split(amount, len(PIXELS), KERNEL_SIZE, STRIDES, 1):
        first, last = row(padding, before, after - 1), row(padding, before - 1, after)
        labels = [_text(PITCH, line, f"ch {line}") for line in (0, 1)]
        return _svg([*labels, *_drawn(first, 0), *_drawn(last, 1)], 2)
    drawn = _drawn(row(padding, before, after), 0)
    if not isinstance(MODES[str(padding.mode)], Mask):
        return _svg(drawn, 1)
    return _svg([*drawn, *_scales(str(padding.mode), before, after)], 2)


def row(padding: Padding, before: int, after: int) -> Cells:
    """The padded row of six pixels: position of every cell, and its colour or a text."""
    size, mode = len(PIXELS), str(padding.mode)
    values = np.arange(size)
    places = range(-before, size + after)
    filling = MODES[mode]
    if not filling.by_axis or (isinstance(filling, IndexRule) and filling.writes):
        fills = _fills(mode, before + after)
        border = [p for p in places if not 0 <= p < size]
        return [(p, PIXELS[p] if 0 <= p < size else fills[border.index(p)]) for p in places]
    padded = axis_matrix(size, before, after, mode) @ values
    return [(p, shade(value)) for p, value in zip(places, padded, strict=True)]


def _fills(mode: str, pixels: int) -> list[str]:
    """The fill of each border pixel that does not show a pixel of the row."""
    filling, values = MODES[mode], np.arange(len(PIXELS))[None, :, None]
    if isinstance(filling, Weight):
        return ["w"] * pixels
    if not isinstance(filling, Statistic):
        return [GREY if filling.takes_value else EMPTY] * pixels
    levels = np.full(pixels, filling.level(values, (1,), np).item())
    if filling.deviation is not None:
        noise = np.random.default_rng(5).normal(size=pixels)
        levels += filling.deviation(values, (1,), np).item() * noise
    return [shade(level) for level in levels]


def shade(value: float) -> str:
    """The colour of a value: pixel i has value i; smaller ones go to black, larger to white."""
    known = [(-3.0, "#000000"), *enumerate(PIXELS), (8.0, "#ffffff")]
    at = [float(x) for x, _ in known]
    channels = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in known])
    return "#" + "".join(f"{round(np.interp(value, at, channel)):02x}" for channel in channels.T)


def grid(padding: Padding) -> str:
    """A map of 3×4 and its border, each axis padded by its own amount and mode, or both by one."""
    amounts, modes = padding.amounts(2), padding.modes(2)
    widths = [
        pad_amounts(amount, size, SMALL_KERNEL, 1, 1)
        for amount, size in zip(amounts, SMALL_MAP, strict=True)
    ]
    values = np.linspace(0, len(PIXELS) - 1, SMALL_MAP[0] * SMALL_MAP[1]).reshape(SMALL_MAP)
    if plane := plane_of(modes):
        padded = values.ravel()[plane_pixels(SMALL_MAP, tuple(widths), plane)]
        written = np.ones(padded.shape)
    else:
        rows, columns = (
            axis_matrix(size, *width, mode)
            for size, width, mode in zip(SMALL_MAP, widths, modes, strict=True)
        )
        padded, written = rows @ values @ columns.T, rows.sum(1)[:, None] * columns.sum(1)
    drawn = []
    for y, x in np.ndindex(padded.shape):
        place = y - widths[0][0], x - widths[1][0]
        inside = all(0 <= p < n for p, n in zip(place, SMALL_MAP, strict=True))
        fill = shade(padded[y, x]) if written[y, x] else EMPTY
        drawn.append(_cell(MOST + place[1], y, fill, inside))
    return _svg(drawn, len(padded))


def _row_then_maps(padding: Padding) -> str:
    """The padded row, and below it the maps that unpadded kernels leave."""
    size = len(PIXELS)
    same = pad_amounts("same", size, SMALL_KERNEL, 1, 1)
    before, after = (LAYERS_AFTER_INPUT * side for side in same)
    drawn = _drawn(row(padding, before, after), 0)
    for layer in range(1, LAYERS_AFTER_INPUT + 1):
        before, after = before - same[0], after - same[1]
        drawn += [_cell(MOST + p, layer, GREY, True) for p in range(-before, size + after)]
    return _svg(drawn, 1 + LAYERS_AFTER_INPUT)


def _scales(mode: str, before: int, after: int) -> list[str]:
    """The factor of each window's output, below the middle of the window."""
    reads_border = outside(len(PIXELS), before, after, KERNEL_SIZE, STRIDES, 1)
    covered = KERNEL_SIZE / mask_scale(mode, (reads_border,)).ravel()
    first = MOST - before + KERNEL_SIZE // 2
    return [
        _text((first + STRIDES * i + 0.5) * PITCH, 1, f"×{KERNEL_SIZE}/{round(pixels)}")
        for i, pixels in enumerate(covered)
    ]


def _drawn(cells: Cells, line: int) -> list[str]:
    drawn = []
    for place, fill in cells:
        inside = 0 <= place < len(PIXELS)
        is_text = len(fill) == 1
        drawn.append(_cell(MOST + place, line, EMPTY if is_text else fill, inside))
        if is_text:
            drawn.append(_text((MOST + place + 0.5) * PITCH, line, fill))
    return drawn


def _cell(place: int, line: int, fill: str, inside: bool) -> str:
    shrink = 0 if inside else 2
    x, y = place * PITCH + 1 + shrink, line * PITCH + GAP + shrink
    side = PITCH - GAP - 2 * shrink
    edge = "" if inside else f' stroke="{GREY}" stroke-dasharray="2 1"'
    return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{fill}"{edge}/>'


def _text(middle: float, line: int, text: str) -> str:
    return (
        f'<text x="{middle:g}" y="{line * PITCH + 12}" font-family="sans-serif" font-size="9" '
        f'text-anchor="middle" fill="{GREY}">{text}</text>'
    )


def _svg(parts: list[str], lines: int) -> str:
    width, height = (len(PIXELS) + 2 * MOST) * PITCH, lines * PITCH + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
    return f"{head}{''.join(parts)}</svg>\n"


def main(folder: Path = Path("docs/pictures")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, padding in NAMED.items():
        (folder / f"padding-{name}.svg").write_text(picture(padding))


if __name__ == "__main__":
    main()
