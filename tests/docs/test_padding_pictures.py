"""The README's pictures show what the networks are padded with."""

import re

import keras
import numpy as np
import pytest

from conf.commandline import ROOT
from docs.padding_pictures import EMPTY, GREY, MOST, PITCH, PIXELS, main, picture, shade
from models.geometry.input_border import input_widths
from models.padding import NAMED, Padding

PICTURES = ROOT.parent / "docs" / "pictures"


def cells(padding, line=0):
    """The drawn cells of a line: their places, seen from the map's first pixel, and fills."""
    found = re.findall(r'<rect x="(\d+)" y="(\d+)" .*? fill="([#\w]+)"', picture(padding))
    on_line = [(int(x), fill) for x, y, fill in found if int(y) // PITCH == line]
    return {x // PITCH - MOST: fill for x, fill in on_line}


def test_the_committed_pictures_are_todays(tmp_path):
    main(tmp_path)
    drawn = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert drawn == {file.name: file.read_text() for file in PICTURES.glob("padding-*.svg")}
    assert set(drawn) == {f"padding-{name}.svg" for name in NAMED}


def test_no_two_paddings_look_alike():
    assert len({picture(padding) for padding in NAMED.values()}) == len(NAMED)


@pytest.mark.parametrize(
    ("mode", "numpys"),
    [("reflect", {}), ("symmetric", {}), ("replicate", "edge"), ("circular", "wrap")],
)
def test_copied_pixels_are_those_of_numpy(mode, numpys):
    expected = np.pad(np.array(PIXELS), (1, 2), numpys or mode)
    assert cells(NAMED[mode]) == dict(zip(range(-1, 8), expected.tolist(), strict=True))


def test_odd_reflect_goes_on_beyond_the_darkest_and_the_brightest():
    drawn = cells(NAMED["odd_reflect"])
    assert (drawn[-1], drawn[6], drawn[7]) == (shade(-1), shade(6), shade(7))
    light = [sum(int(drawn[p][i : i + 2], 16) for i in (1, 3, 5)) for p in (-1, 0, 5, 6, 7)]
    assert light == sorted(set(light))


def test_what_is_no_pixel_is_drawn_as_what_it_is():
    assert {cells(NAMED["same"])[p] for p in (-1, 6, 7)} == {EMPTY}
    assert {cells(NAMED["constant"])[p] for p in (-1, 6, 7)} == {GREY}
    assert {cells(NAMED["mean"])[p] for p in (-1, 6, 7)} == {shade(2.5)}
    assert len({cells(NAMED["random"])[p] for p in (-1, 6, 7)}) == 3
    assert picture(NAMED["learned"]).count(">w<") == 3
    assert re.findall(r">(×\S+?)<", picture(NAMED["partial"])) == ["×5/4", "×5/5", "×5/3"]


def test_even_split_leaves_out_one_pixel_after_or_before():
    first, second = (cells(NAMED["even_split"], line) for line in (0, 1))
    assert (min(first), max(first)) == (-2, 6)
    assert (min(second), max(second)) == (-1, 7)


def test_input_is_padded_by_what_two_kernels_eat():
    def make(amount, sizes):
        layer = keras.layers.Conv1D
        named = [layer(1, 3, padding=amount, name=f"conv{i}") for i in (1, 2)]
        return keras.Sequential([keras.Input((*sizes, 1)), *named])

    ((before, after),) = input_widths(make, (len(PIXELS),))
    drawn = [cells(NAMED["input"], line) for line in (0, 1, 2)]
    assert (min(drawn[0]), max(drawn[0])) == (-before, len(PIXELS) - 1 + after)
    assert [len(line) for line in drawn] == [10, 8, 6]


@pytest.mark.parametrize("amount", ["causal_rows", "causal_columns", "latitude_longitude"])
def test_a_padding_by_axis_is_drawn_on_a_map(amount):
    padding: Padding = NAMED[amount]
    (top, bottom), (left, right) = padding.widths((3, 4), (3, 3), (1, 1), (1, 1))
    lines = [cells(padding, line) for line in range(top + 3 + bottom)]
    assert all((min(line), max(line)) == (-left, 3 + right) for line in lines)
    assert not cells(padding, len(lines))
    empty = sum(fill == EMPTY for line in lines for fill in line.values())
    border = (3 + top + bottom) * (4 + left + right) - 12
    assert empty == (0 if amount == "latitude_longitude" else border)


def test_the_globe_goes_round_by_columns_and_ends_by_rows():
    lines = [cells(NAMED["latitude_longitude"], line) for line in range(5)]
    assert (lines[1][0], lines[3][3]) == (PIXELS[0], PIXELS[-1])
    assert lines[0] == lines[1]
    assert lines[3] == lines[4]
    assert all(line[-1] == line[3] and line[4] == line[0] for line in lines)
