"""The tiny pictures of the README: what a padding does to a row of six pixels.

    python -m experiments.pictures        writes docs/pictures/padding-<name>.svg

Drawn from the same functions that pad the networks, for a kernel of 5 at stride 2, where every
amount differs from every other.
"""

from __future__ import annotations

from pathlib import Path

from models.borders import border_indices
from models.padding import NAMED, Padding, pad_amounts

PIXELS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")  # viridis
KERNEL_SIZE, STRIDES = 5, 2
MOST = KERNEL_SIZE - 1
SIDE, GAP = 14, 2


def row(padding: Padding) -> str:
    """An SVG of the padded row: pixels solid, the border smaller and dashed, zeros empty."""
    size = len(PIXELS)
    (amount,), (mode,) = padding.amounts(1), padding.modes(1)
    before, after = pad_amounts(amount, size, KERNEL_SIZE, STRIDES, 1)
    cells = []
    for place, source in enumerate(border_indices(size, before, after, mode), start=-before):
        inside = 0 <= place < size
        fill = PIXELS[source] if source >= 0 else "#888888" if mode == "constant" else "none"
        cells.append(_cell(MOST + place, fill, inside))
    width, height = (size + 2 * MOST) * (SIDE + GAP), SIDE + 2 * GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        + "".join(cells)
        + "</svg>\n"
    )


def _cell(place: int, fill: str, inside: bool) -> str:
    shrink = 0 if inside else 2
    x, y, side = place * (SIDE + GAP) + 1 + shrink, GAP + shrink, SIDE - 2 * shrink
    edge = "" if inside else ' stroke="#888888" stroke-dasharray="2 1"'
    return f'<rect x="{x}" y="{y}" width="{side}" height="{side}" fill="{fill}"{edge}/>'


def main(folder: Path = Path("docs/pictures")) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, padding in NAMED.items():
        (folder / f"padding-{name}.svg").write_text(row(padding))


if __name__ == "__main__":
    main()
