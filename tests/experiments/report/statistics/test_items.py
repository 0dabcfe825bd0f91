import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics.items import two_way_interval, two_way_intervals
from experiments.report.statistics.paired import interval


def outcomes(random, seeds, items, effect=0.05, seed_sd=0.0):
    """−1, 0 or 1 for every seed and item: the cell is right a little more often."""
    chance = 0.1 + effect / 2 + random.normal(0, seed_sd, (seeds, 1))
    better = random.random((seeds, items)) < chance
    worse = random.random((seeds, items)) < 0.1 - effect / 2
    return better.astype(float) - worse


def test_without_seeds_it_is_the_items_interval():
    differences = outcomes(np.random.default_rng(0), 1, 2000)
    low, high = two_way_interval(differences)
    mean, error = differences.mean(), stats.sem(differences[0])
    assert (low, high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.1 * error)


def test_without_items_it_is_the_seeds_interval():
    column = np.random.default_rng(1).normal(0.5, 1, 60)
    low, high = two_way_interval(np.repeat(column[:, None], 3, axis=1))
    error = column.std() / np.sqrt(60)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_items_of_one_group_are_one_item():
    """Ten copies of an image carry no more than the image: the interval must not shrink."""
    once = outcomes(np.random.default_rng(2), 5, 300)
    copies = np.repeat(once, 10, axis=1)
    groups = np.repeat(np.arange(300), 10)
    width = np.ptp(two_way_interval(once))
    assert np.ptp(two_way_interval(copies, groups)) == pytest.approx(width, rel=0.05)
    # The seeds' share of the width stays; that of the items falls with the square root of ten.
    assert np.ptp(two_way_interval(copies)) < 0.8 * width


def test_it_covers_new_seeds_and_new_items():
    random = np.random.default_rng(3)
    hits = 0
    for i in range(300):
        low, high = two_way_interval(outcomes(random, 10, 400, seed_sd=0.02), draws=400, seed=i)
        hits += low <= 0.05 <= high
    assert 0.92 <= hits / 300 <= 1.0  # the pigeonhole bootstrap errs towards wide


def test_many_comparisons_are_each_as_if_alone():
    random = np.random.default_rng(4)
    together = np.stack([outcomes(random, 4, 60, effect) for effect in (0.0, 0.1, 0.2)])
    groups = np.arange(60) % 17
    found = two_way_intervals(together, groups, draws=600)
    alone = [two_way_interval(one, groups, draws=600) for one in together]
    assert found == pytest.approx(np.array(alone), abs=1e-12)


def test_with_few_seeds_it_is_never_narrower_than_students_interval():
    random = np.random.default_rng(5)
    for seeds in (2, 3, 5, 10):
        column = random.normal(0, 0.02, seeds)
        alone = np.repeat(column[:, None], 4, axis=1)
        _, low, high = interval(column)
        assert two_way_interval(alone) == pytest.approx((low, high), abs=0.06 * (high - low))
