"""What every amount and every mode owes, asked of all files in their folders.

A failure says what is missing and where it is to be written.
"""

import importlib
import itertools

import numpy as np
import pytest
import yaml

from conf.commandline import ROOT, options
from models.padding import AMOUNTS, MODES, NAMED, Padding, pad_amounts
from models.padding.axes import axis_matrix, outside, terms
from models.padding.definitions import (
    COMPUTES,
    IndexRule,
    LinearRule,
    Mask,
    PlaneRule,
    Statistic,
    WindowAxis,
)
from models.padding.modes import ZEROS
from models.padding.planes import fits, plane_pixels

BY_AXIS = [name for name, mode in MODES.items() if mode.by_axis]
STATISTICS = [name for name, mode in MODES.items() if isinstance(mode, Statistic)]
PLANES = [name for name, mode in MODES.items() if isinstance(mode, PlaneRule)]
MASKS = [name for name, mode in MODES.items() if isinstance(mode, Mask)]
WIDTHS = [(0, 0), (1, 0), (0, 1), (2, 3), (7, 5), (16, 17)]


@pytest.mark.parametrize(
    ("name", "padding"),
    [
        *((amount, Padding(amount)) for amount in AMOUNTS),
        *((mode, Padding("same", mode)) for mode in MODES if mode != ZEROS),
    ],
)
def test_each_has_a_yaml_with_a_line_of_help(name, padding):
    file = ROOT / "padding" / f"{name}.yaml"
    wanted = (
        f"write conf/padding/{name}.yaml: a comment with its line of help, "
        f"amount: {padding.amount}, mode: {padding.mode}"
    )
    assert file.is_file(), wanted
    fields = yaml.safe_load(file.read_text())
    assert fields == {"amount": padding.amount, "mode": padding.mode}, wanted
    assert len(options("padding")[name]) > 10, f"the first line of {file} must be its help"
    assert NAMED[name] == padding


def test_every_file_brings_an_object():
    assert AMOUNTS.broken == {}
    assert MODES.broken == {}


@pytest.mark.parametrize(
    ("folder", "name"), [*(("amounts", a) for a in AMOUNTS), *(("modes", m) for m in MODES)]
)
def test_every_file_says_in_its_docstring_what_it_is(folder, name):
    module = importlib.import_module(f"models.padding.{folder}.{name}")
    assert module.__doc__, (
        f"models/padding/{folder}/{name}.py needs a docstring: it is the row in docs/padding.md"
    )


@pytest.mark.parametrize("mode", BY_AXIS)
def test_a_rule_leaves_the_map_as_it_is(mode):
    for size in range(1, 7):
        for before, after in WIDTHS:
            where = f"modes/{mode}.py at size={size}, before={before}, after={after}"
            least = 0 if MODES[mode].needs_size else -1
            for index, weight in terms(size, before, after, mode):
                assert isinstance(index, np.ndarray), f"{where}: an index must be an array"
                assert index.dtype.kind == "i", f"{where}: an index must be an integer"
                assert index.shape == (before + size + after,), f"{where}: an index per position"
                assert least <= index.min() <= index.max() < size, (
                    f"{where}: an index must be from 0 to size - 1, also at a size of 1"
                )
                assert (weight is None) == isinstance(MODES[mode], IndexRule), where
            matrix = axis_matrix(size, before, after, mode)
            assert np.isfinite(matrix).all(), where
            assert np.array_equal(matrix[before : before + size], np.eye(size)), (
                f"{where}: it changes the map. Where 0 <= position < size it must return the "
                "position itself (of a LinearRule: with the weight 1)"
            )


@pytest.mark.parametrize("mode", BY_AXIS)
def test_the_border_does_not_depend_on_how_much_of_it_is_asked_for(mode):
    for size in range(1, 6):
        wide = axis_matrix(size, 9, 8, mode)
        assert np.array_equal(axis_matrix(size, 4, 2, mode), wide[5:-6]), f"modes/{mode}.py"


@pytest.mark.parametrize("mode", [m for m in BY_AXIS if not MODES[m].looks_ahead])
def test_what_does_not_look_ahead_shows_the_first_pixel_at_most(mode):
    before = axis_matrix(6, 4, 0, mode)[:4]
    assert not before[:, 1:].any(), f"modes/{mode}.py: looks_ahead=True, for it shows later pixels"


@pytest.mark.parametrize("mode", [m for m in BY_AXIS if MODES[m].needs_size])
def test_copies_is_the_widest_border_without_repetition(mode):
    rule = MODES[mode]
    assert isinstance(rule, (IndexRule, LinearRule))
    for size in range(3, 7):
        shown = terms(size, 3 * size, 0, mode)[0][0][: 3 * size][::-1]  # outwards from the map
        new = [len(set(shown[:width])) == width for width in range(1, 3 * size + 1)]
        widest = new.index(False)
        if rule.copies is None:
            assert widest < 5 or size < 6, (
                f"modes/{mode}.py must set copies: from the size to the widest border without "
                f"repetition, which is {widest} at size {size}"
            )
        else:
            assert rule.copies(size) == widest, (
                f"modes/{mode}.py: copies({size}) must be {widest}, the widest border that shows "
                "no pixel twice"
            )


@pytest.mark.parametrize("mode", PLANES)
def test_a_plane_rule_leaves_the_map_as_it_is(mode):
    rule, where = MODES[mode], f"modes/{mode}.py"
    for height, width in itertools.product(range(1, 7), repeat=2):
        if height % rule.multiples[0] or width % rule.multiples[1]:
            assert not fits((height, width), [mode])
            continue
        wide = plane_pixels((height, width), ((9, 11), (8, 13)), mode)
        assert wide.shape == (20 + height, 21 + width), f"{where}: source must broadcast"
        assert wide.dtype.kind == "i", f"{where}: source must return integers"
        assert 0 <= wide.min() <= wide.max() < height * width, f"{where}: a pixel of the map"
        inside = wide[9 : 9 + height, 8 : 8 + width]
        assert np.array_equal(inside.ravel(), np.arange(height * width)), (
            f"{where}: it changes the map: on it source must return the positions themselves"
        )
        narrow = plane_pixels((height, width), ((2, 1), (0, 3)), mode)
        assert np.array_equal(narrow, wide[7:-10, 8:-10]), f"{where}: depends on the widths asked"


@pytest.mark.parametrize("mode", PLANES)
def test_copies_of_a_plane_is_the_widest_border_without_repetition(mode):
    rule = MODES[mode]
    if rule.copies is None:
        return
    sizes = tuple(4 * multiple for multiple in rule.multiples)
    for axis, copies in enumerate(rule.copies(sizes)):
        widths = [(0, 0), (0, 0)]
        widths[axis] = (0, 3 * sizes[axis])
        beyond = np.moveaxis(plane_pixels(sizes, tuple(widths), mode), axis, 0)[sizes[axis] :]
        new = [len(np.unique(beyond[:n])) == beyond[:n].size for n in range(1, len(beyond) + 1)]
        assert copies == new.index(False), f"modes/{mode}.py: copies of axis {axis}"


@pytest.mark.parametrize("mode", STATISTICS)
def test_a_statistic_is_taken_of_each_channel_of_each_example(mode):
    import keras

    rule = MODES[mode]
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    for formula in filter(None, (rule.level, rule.deviation)):
        found = formula(x, (1, 2), np)
        assert found.shape == (3, 2), f"modes/{mode}.py must give (batch, channels)"
        alone = formula(x[1:2, ..., 1:], (1, 2), np)
        np.testing.assert_allclose(found[1, 1], alone[0, 0], rtol=1e-6)
        by_keras = formula(keras.ops.convert_to_tensor(x), (1, 2), keras.ops)
        np.testing.assert_allclose(by_keras, found, rtol=1e-5, atol=1e-6)
        assert _in_a_graph(formula), f"modes/{mode}.py must compute with `ops`, not with NumPy"


def _in_a_graph(formula):
    """Whether a formula can be compiled, as a training step is."""
    import keras

    try:
        symbolic = keras.KerasTensor((3, 5, 4, 2))
        found = formula(symbolic, (1, 2), keras.ops)
    except Exception:
        return False
    return tuple(found.shape) == (3, 2)


@pytest.mark.parametrize("mode", MASKS)
def test_a_mask_leaves_windows_on_the_map_alone(mode):
    scale = MODES[mode].scale(np.arange(6), 5, np)
    assert scale[-1] == 1, f"modes/{mode}.py: scale must be 1 where all taps lie on the map"
    assert np.isfinite(scale).all(), f"modes/{mode}.py: scale must be finite where none does"


@pytest.mark.parametrize("mode", MODES)
def test_refusals_name_what_there_is(mode):
    assert set(MODES[mode].refused) <= {*COMPUTES, *AMOUNTS}


@pytest.mark.parametrize("amount", AMOUNTS)
def test_an_amount_is_two_numbers_of_pixels(amount):
    rule = AMOUNTS[amount]
    assert set(rule.refused) <= set(COMPUTES)
    for size in range(1, 9):
        for k in range(1, 6):
            for s, d in ((1, 1), (2, 1), (3, 1), (1, 2)):
                where = f"amounts/{amount}.py at size={size}, kernel_size={k}, {s=}, {d=}"
                before, after = pad_amounts(amount, size, k, s, d)
                assert isinstance(before, int) and before >= 0, where
                assert isinstance(after, int) and after >= 0, where
                assert k > 1 or before == after == 0, f"{where}: one pixel needs no border"
                if rule.causal:
                    assert after == 0, f"{where}: a causal amount pads before"
                    taps = size + before >= d * (k - 1) + 1
                    first = outside(size, before, after, k, s, d)
                    assert not taps or first[0].sum() == k - 1, f"{where}: it sees later pixels"
                if rule.splits and rule.splits(WindowAxis(size, k, s, d)):
                    assert before and after, f"{where}: a side of the split has no pixel"
