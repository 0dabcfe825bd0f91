import itertools

import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics import family


def study(random, means=(0.0,) * 5):
    """Differences of ten seeds, half of whose variance is shared: (10, comparisons)."""
    shared = random.normal(0, 0.35, (10, 1))
    return random.normal(0, 0.35, (10, len(means))) + shared + np.asarray(means)


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


def test_what_n_can_find_does_not_depend_on_the_family():
    """Six seeds of five comparisons, one of them plain: the smallest p is reached."""
    assert family.smallest_p(10) == 2 / 1024
    differences = np.random.default_rng(4).normal(0, 0.1, (6, 5))
    differences[:, 2] += 5
    assert family.max_t_p(differences)[2] == family.smallest_p(6) == 2 / 64


def test_without_a_difference_it_finds_one_in_at_most_five_per_cent():
    random = np.random.default_rng(6)
    found = sum(family.max_t_p(study(random)).min() <= 0.05 for _ in range(1000))
    assert 30 <= found <= 66  # a rate of 5 % gives more in 1 % of the cases


@pytest.mark.parametrize("bad", [np.zeros((1, 2)), np.zeros(3), np.array([[np.nan], [1.0]])])
def test_mistakes(bad):
    with pytest.raises(ValueError, match="differences must"):
        family.max_t_p(bad)


def test_the_step_down_form_by_brute_force():
    """The largest statistic among those that are no more significant, over every pattern."""
    differences = study(np.random.default_rng(5), means=(0.6, 0.3, 0.0))[:7]
    observed = np.array([abs(t(column)) for column in differences.T])
    order = np.argsort(-observed)
    reached = np.zeros(3)
    for signs in itertools.product((1, -1), repeat=7):
        flipped = np.array([abs(t(column)) for column in differences.T * signs])
        for place, i in enumerate(order):
            reached[i] += flipped[order[place:]].max() >= observed[i] - 1e-9
    expected = reached / 2**7
    for before, after in itertools.pairwise(order):
        expected[after] = max(expected[after], expected[before])
    found = family.step_down_p(differences)
    np.testing.assert_allclose(found, expected)
    single = family.max_t_p(differences)
    assert (found <= single).all() and (found < single).any()
    assert found[order[0]] == single[order[0]]
