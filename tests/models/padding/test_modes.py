import itertools
import math

import numpy as np
import pytest

from models.padding import PaddingError
from models.padding.amounts import is_split, pad_amounts
from models.padding.modes import (
    axis_matrix,
    border_indices,
    odd_reflect_terms,
    outside,
    partial_scale,
)
from models.padding.names import AXIS_MODES, INDEX_MODES
from tests.models.layers import oracle

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
    index, sign, first, last = odd_reflect_terms(size, 0, 40 - size)
    made = sign * x[index] + first * x[0] + last * x[-1]
    assert made.tolist() == [line[p] for p in range(40)]
    index, sign, first, last = odd_reflect_terms(size, 17, 23)
    slope = sign * index + last * (size - 1)
    assert slope.tolist() == (list(range(-17, size + 23)) if size > 1 else [0] * 41)


@pytest.mark.parametrize("mode", [*INDEX_MODES, "odd_reflect"])
def test_what_lies_inside_is_the_map(mode):
    for size, before, after in itertools.product(range(1, 6), SIDES, SIDES):
        matrix = axis_matrix(size, before, after, mode)
        assert np.array_equal(matrix[before : before + size], np.eye(size))
        assert (matrix.sum(1) == 1).all()  # so a constant line stays one


def test_odd_reflect_copies_the_map():
    """Not 2 x - x, which rounds."""
    for size in range(1, 6):
        terms = odd_reflect_terms(size, 3, 4)
        index, sign, first, last = (term[3 : 3 + size].tolist() for term in terms)
        assert (index, sign) == (list(range(size)), [1] * size)
        assert first == last == [0] * size


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
    scale = partial_scale((outside(5, 1, 1, 3, 1, 1), outside(4, 1, 1, 3, 1, 1)))
    assert scale.shape == (1, 5, 4, 1)
    assert scale[0, :, :, 0].tolist() == [
        [2.25, 1.5, 1.5, 2.25],
        *[[1.5, 1, 1, 1.5]] * 3,
        [2.25, 1.5, 1.5, 2.25],
    ]


def test_a_window_of_border_only_counts_nothing():
    scale = partial_scale((outside(1, 3, 0, 2, 1, 1),))
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
        odd_reflect_terms(0, 1, 1)
    with pytest.raises(PaddingError, match="unknown mode"):
        border_indices(3, 1, 1, "odd_reflect")
