import itertools

import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics import family
from experiments.report.statistics.paired import interval
from experiments.report.statistics.simulation import study


def t(column):
    return stats.ttest_1samp(column, 0).statistic


def test_four_seeds_by_hand():
    """Differences 1, 2, 3, 4: all 16 patterns, of which two reach the observed t."""
    assert family.max_t_p(np.array([[1.0], [2.0], [3.0], [4.0]]))[0] == 2 / 16
    # With -1, 2, 3, 4 the mean 2 is reached by these four and by 1, 2, 3, 4, and their mirrors.
    assert family.max_t_p(np.array([[-1.0], [2.0], [3.0], [4.0]]))[0] == 4 / 16


def test_every_pattern_by_brute_force():
    differences = study(np.random.default_rng(1))[:6, :3]
    observed = [abs(t(column)) for column in differences.T]
    reached = np.zeros(3)
    for signs in itertools.product((1, -1), repeat=6):
        largest = max(abs(t(column)) for column in (differences.T * signs))
        reached += largest >= np.array(observed) - 1e-9
    np.testing.assert_allclose(family.max_t_p(differences), reached / 64)


def test_one_comparison_is_scipys_permutation_test():
    column = np.random.default_rng(2).normal(0.3, 1, 9)
    found = stats.permutation_test(
        (column,), lambda x: abs(np.mean(x)), permutation_type="samples", n_resamples=np.inf,
        alternative="greater",
    )  # fmt: skip
    assert family.max_t_p(column[:, None])[0] == pytest.approx(found.pvalue)


def test_many_seeds_are_drawn_and_close_to_exact(monkeypatch):
    differences = study(np.random.default_rng(3), (0.3, 0.2, 0.0, 0.1, 0.0))
    exact = family.max_t_p(differences)
    monkeypatch.setattr(family, "MOST_EXACT", 5)
    drawn = family.max_t_p(differences)
    np.testing.assert_allclose(drawn, exact, atol=0.01)
    assert drawn.min() >= 1 / family.DRAWS


def test_zeros_and_constants():
    differences = np.array([[0.0, 0.2]] * 6)
    assert family.max_t_p(differences).tolist() == [1.0, 2 / 64]
    np.testing.assert_allclose(family.simultaneous_intervals(differences), [[0, 0], [0.2, 0.2]])


def test_what_n_can_find():
    assert family.smallest_p(10) == 2 / 1024
    assert family.can_reject(6, 1) and not family.can_reject(5, 1)
    assert family.can_reject(9, 11) and not family.can_reject(8, 11)


def test_one_interval_is_students():
    column = np.random.default_rng(4).normal(size=7)
    found = family.simultaneous_intervals(column[:, None])[0]
    assert found == pytest.approx(interval(column)[1:])


def test_no_member_is_wider_than_the_family():
    differences = np.random.default_rng(9).normal(size=(2, 6))  # two seeds: all t are one t
    own = [interval(column)[1:] for column in differences.T]
    assert (family.simultaneous_intervals(differences)[:, 0] <= np.array(own)[:, 0]).all()


def test_intervals_of_independent_comparisons_are_sidaks():
    """With many seeds and no correlation c is nearly the quantile of Šidák's level."""
    differences = np.random.default_rng(5).normal(size=(4000, 4))
    found = family.simultaneous_intervals(differences)
    c = (found[:, 1] - found[:, 0]) / 2 / stats.sem(differences, axis=0)
    expected = stats.norm.ppf((1 + 0.95 ** (1 / 4)) / 2)
    np.testing.assert_allclose(c, expected, rtol=0.02)


def test_intervals_of_too_few_seeds_are_bonferronis():
    """Five seeds say little of how seven comparisons go together."""
    random = np.random.default_rng(6)
    differences = random.normal(size=(400, 5, 7)) - random.normal(size=(400, 5, 1))
    found = np.array([family.simultaneous_intervals(one) for one in differences])
    half = (found[..., 1] - found[..., 0]) / 2
    c = half / stats.sem(differences, axis=1)
    np.testing.assert_allclose(c, stats.t.ppf(1 - 0.05 / 14, 4))
    assert (found[..., 0] * found[..., 1] <= 0).all(axis=1).mean() >= 0.95


@pytest.mark.parametrize("bad", [np.zeros((1, 2)), np.zeros(3), np.array([[np.nan], [1.0]])])
def test_mistakes(bad):
    with pytest.raises(ValueError, match="differences must"):
        family.max_t_p(bad)
