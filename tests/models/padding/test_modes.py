import itertools
import math

import numpy as np
import pytest

from models.padding import MODES, PaddingError
from models.padding.amounts import is_split, pad_amounts
from models.padding.axes import axis_matrix, mask_scale, outside, terms
from models.padding.definitions import LinearRule
from tests.models.layers import oracle
from tests.models.layers.oracle import AXIS_MODES

SIDES = (0, 1, 2, 3, 5, 8, 13, 21)


@pytest.mark.parametrize("mode", AXIS_MODES)
@pytest.mark.parametrize("size", range(1, 8))
def test_an_axis_is_numpys_at_any_width(mode, size):
    for before, after in itertools.product(SIDES, SIDES):
        expected = oracle.operator(size, before, after, mode)
        assert np.array_equal(axis_matrix(size, before, after, mode), expected), (before, after)


@pytest.mark.parametrize("size", range(1, 8))
def test_odd_reflect_keeps_the_slope(size):
    """By its definition, 2 edge - reflect, applied again and again; a line goes on as a line."""
    x = np.random.default_rng(0).integers(-9, 9, size).astype(float)
    line = {i: x[i] for i in range(size)}
    for p in range(size, 40):
        edge = (p - 1) // max(1, size - 1) * (size - 1)
        line[p] = x[0] if size == 1 else 2 * line[edge] - line[2 * edge - p]
    made = sum(weight * x[index] for index, weight in terms(size, 0, 40 - size, "odd_reflect"))
    assert made.tolist() == [line[p] for p in range(40)]
    slope = sum(weight * index for index, weight in terms(size, 17, 23, "odd_reflect"))
    assert slope.tolist() == (list(range(-17, size + 23)) if size > 1 else [0] * 41)


@pytest.mark.parametrize("mode", [mode for mode in AXIS_MODES if MODES[mode].needs_size])
def test_what_lies_inside_is_the_map(mode):
    for size, before, after in itertools.product(range(1, 6), SIDES, SIDES):
        matrix = axis_matrix(size, before, after, mode)
        assert np.array_equal(matrix[before : before + size], np.eye(size))
        assert (matrix.sum(1) == 1).all()  # so a constant line stays one


LINEAR = [name for name in AXIS_MODES if isinstance(MODES[name], LinearRule)]


@pytest.mark.parametrize("mode", LINEAR)
def test_a_linear_rule_copies_the_map(mode):
    """Not 2 x - x, which rounds."""
    for size in range(1, 6):
        (index, weight), *others = [
            (index[3 : 3 + size].tolist(), weight[3 : 3 + size].tolist())
            for index, weight in terms(size, 3, 4, mode)
        ]
        assert (index, weight) == (list(range(size)), [1] * size)
        assert all(set(weight) == {0} for _, weight in others)


def test_taps_outside_by_brute_force():
    grid = itertools.product(range(1, 7), (0, 1, 4), (0, 2, 5), range(1, 5), (1, 2, 3), (1, 2))
    for size, before, after, k, s, d in grid:
        padded = [False] * before + [True] * size + [False] * after
        rows, start = [], 0
        while start + d * (k - 1) < len(padded):
            rows.append([not padded[start + d * tap] for tap in range(k)])
            start += s
        found = outside(size, before, after, k, s, d)
        assert found.shape == (len(rows), k)
        assert found.tolist() == rows


def test_partial_convolution_at_an_edge_and_in_a_corner():
    """Liu et al. 2018: 9/6 = 1.5 at the edges and 9/4 = 2.25 in the corners of a 3x3 kernel."""
    scale = mask_scale("partial", (outside(5, 1, 1, 3, 1, 1), outside(4, 1, 1, 3, 1, 1)))
    assert scale.shape == (1, 5, 4, 1)
    assert scale[0, :, :, 0].tolist() == [
        [2.25, 1.5, 1.5, 2.25],
        *[[1.5, 1, 1, 1.5]] * 3,
        [2.25, 1.5, 1.5, 2.25],
    ]


def test_a_window_of_border_only_counts_nothing():
    scale = mask_scale("partial", (outside(1, 3, 0, 2, 1, 1),))
    assert scale.ravel().tolist() == [0, 0, 2]


@pytest.mark.parametrize("amount", ["even_split", "same"])
def test_a_pixel_is_left_over_where_the_total_is_odd(amount):
    for size, k, s, d in itertools.product(range(1, 12), range(1, 8), (1, 2, 3), (1, 2)):
        total = sum(oracle.amounts("same", size, k, s, d))
        split = is_split(amount, size, k, s, d)
        assert split == (amount == "even_split" and total % 2 == 1)
        if amount == "even_split":
            assert pad_amounts(amount, size, k, s, d) == (math.ceil(total / 2),) * 2


def test_mistakes_are_one_plain_line():
    with pytest.raises(PaddingError, match="An empty map"):
        terms(0, 1, 1, "odd_reflect")
    with pytest.raises(PaddingError, match="unknown mode"):
        terms(3, 1, 1, "mean")
