import numpy as np
import pytest
from scipy import stats

from experiments.report.statistics.paired import interval, paired_interval, pairing


def sample(n=8, seed=0):
    random = np.random.default_rng(seed)
    shared = random.normal(90, 1, n)
    return shared + random.normal(0, 0.3, n), shared + random.normal(0, 0.3, n)


def test_the_interval_is_scipys():
    values, baseline = sample()
    for confidence in (0.9, 0.95, 0.99):
        expected = stats.ttest_rel(values, baseline).confidence_interval(confidence)
        mean, low, high = paired_interval(values, baseline, confidence)
        assert (low, high) == pytest.approx(tuple(expected))
        assert mean == pytest.approx((values - baseline).mean())


def test_the_interval_of_three_by_hand():
    # Values 1, 2, 3: mean 2, standard error 1 / sqrt 3, and t of 2 degrees of freedom 4.3027.
    assert interval([1.0, 2.0, 3.0]) == pytest.approx((2, 2 - 2.48414, 2 + 2.48414), abs=1e-5)


def test_pairing_by_hand():
    found = pairing([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    # Both arms vary by 1, their covariance is 0.5, so the differences 0, -1, 1 vary by 1.
    assert found.correlation == pytest.approx(0.5)
    assert found.gain == pytest.approx(2.0)
    assert pairing([1.0, 2.0], [2.0, 3.0]).gain is None
    assert pairing([1.0, 1.0], [2.0, 3.0]).correlation is None


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="Received: 1"):
        interval([1.0])
