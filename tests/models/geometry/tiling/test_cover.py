"""Where windows lie that cover an axis."""

import itertools

import numpy as np
import pytest

from models.geometry.tiling.cover import Cover, Ends, Place, cover, repeated, run, work


def ends(window, before, after):
    return Ends((0, window - after), (before, window - after), (before, window))


@pytest.mark.parametrize(
    ("size", "window", "before", "after"),
    itertools.product((9, 20, 33), (6, 8), (0, 1, 3), (0, 2)),
)
def test_the_outputs_are_taken_once_and_in_order(size, window, before, after):
    places = cover(size, window, size, 1, 1, ends(window, before, after))
    taken = [i for place in places for i in range(*place.outputs)]
    assert taken == list(range(size))
    for place in places:
        assert place.within == tuple(n - place.start for n in place.outputs)
        assert place.start == 0 or place.within[0] >= before
        assert place.start == size - window or place.within[1] <= window - after


def test_there_are_as_few_windows_as_can_be():
    places = cover(100, 20, 100, 4, 4, ends(20, 3, 5))
    assert [place.start for place in places] == [0, 12, 24, 36, 48, 60, 72, 80]


def test_windows_start_on_the_grid_where_the_output_is_larger():
    places = cover(30, 10, 60, 2, 4, ends(20, 4, 4))
    assert [place.start for place in places] == [0, 6, 12, 18, 20]
    assert places[-1].outputs[1] == 60


@pytest.mark.parametrize(("before", "after"), [(4, 4), (8, 0), (5, 3)])
def test_windows_that_leave_nothing_cover_nothing(before, after):
    assert cover(30, 8, 30, 1, 1, ends(8, before, after)) is None


def test_a_first_window_without_the_first_output_covers_nothing():
    assert cover(30, 8, 30, 1, 1, Ends((1, 7), (1, 7), (1, 8))) is None


def test_the_run_is_the_first():
    assert run(np.array([0, 1, 1, 0, 1], bool)) == (1, 3)
    assert run(np.zeros(3, bool)) == (0, 0)
    assert run(np.ones(3, bool)) == (0, 3)


def test_what_is_computed_twice_is_counted_over_both_axes():
    once = Cover(10, 10, 10, (Place(0, (0, 10), (0, 10)),))
    half = Cover(10, 8, 10, (Place(0, (0, 5), (0, 5)), Place(2, (5, 10), (3, 8))))
    assert repeated([once, once]) == 0
    assert repeated([once, half]) == pytest.approx(0.6)
    assert repeated([half, half]) == pytest.approx(1 - 0.4**2)
    assert work([half, half]) == pytest.approx(1.6**2)
