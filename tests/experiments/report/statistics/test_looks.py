import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics.looks import DEFAULT, intersections, intervals, levels


def test_the_levels_of_the_looks():
    assert levels(DEFAULT) == pytest.approx((0.01, 0.015, 0.025))
    assert levels((10,)) == (0.05,)
    assert sum(levels((3, 7, 8, 30))) == pytest.approx(0.05)


@pytest.mark.parametrize("bad", [(), (1, 2), (8, 8), (12, 8)])
def test_looks_increase(bad):
    with pytest.raises(ValueError, match="looks must be increasing"):
        levels(bad)


def test_every_look_is_students_interval_of_its_first_seeds_at_bonferronis_level():
    differences = np.random.default_rng(0).normal(0.3, 1, (15, 2))
    found = intervals(differences, DEFAULT, 5)
    assert found.shape == (2, 2, 2), "20 seeds are not there"
    for (low, high), n, level in zip(found[:, 1], (8, 12), (0.01, 0.015), strict=True):
        first = differences[:n, 1]
        expected = stats.ttest_1samp(first, 0).confidence_interval(1 - level / 5)
        assert (low, high) == pytest.approx(tuple(expected))


def test_many_studies_at_once_are_each_as_if_alone():
    many = np.random.default_rng(1).normal(size=(3, 12, 2))
    together = intervals(many, (8, 12), 2)
    for i, one in enumerate(many):
        np.testing.assert_allclose(together[:, i], intervals(one, (8, 12), 2))


def test_a_column_that_does_not_vary_excludes_nothing():
    differences = np.column_stack([np.full(8, 0.1) * 3, np.arange(8.0)])
    ((still, moving),) = intervals(differences, (8,), 2)
    assert still.tolist() == [-np.inf, np.inf]
    assert np.isfinite(moving).all()


def test_intersections_only_shrink_and_may_be_empty():
    found = np.array([[[-1.0, 3.0]], [[-2.0, 2.0]], [[2.5, 4.0]]])
    assert intersections(found)[:, 0].tolist() == [[-1.0, 3.0], [-1.0, 2.0], [2.5, 2.0]]
