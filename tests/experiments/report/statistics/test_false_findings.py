import numpy as np
import pytest

from experiments.report.statistics.false_findings import false_findings, line


@pytest.mark.full
def test_a_cell_against_itself_is_found_to_differ_at_most_as_often_as_promised():
    """Forty values drawn once: over all splits of them the rates are those of the tests."""
    values = np.random.default_rng(3).normal(90, 0.5, 40)
    found = false_findings(values, n=10, margin=0.3, splits=400)
    assert (found.arms, found.n, found.splits) == (3, 10, 400)
    assert 0.005 < found.families < 0.09
    assert 0.005 < found.tests < 0.09


def test_a_wide_margin_makes_all_equivalent_and_a_narrow_one_none():
    values = np.random.default_rng(4).normal(90, 0.5, 20)
    assert false_findings(values, 10, margin=50, splits=20).equivalent == 1
    assert false_findings(values, 10, margin=1e-6, splits=20).equivalent == 0


@pytest.mark.full
def test_a_bimodal_cell_is_no_exception():
    """Signs are flipped, no normal distribution is assumed."""
    values = np.random.default_rng(5).choice([20.0, 90.0], 40, p=[0.2, 0.8])
    assert false_findings(values, n=10, margin=1, splits=400).tests < 0.08


def test_too_few_seeds_are_refused():
    with pytest.raises(ValueError, match="need 20 values"):
        false_findings(np.arange(19.0), 10, 0.3)


def test_the_sentence_holds_the_rates():
    found = false_findings(np.random.default_rng(0).normal(size=12), 5, 1.0, splits=10)
    assert line(found, 1.0).startswith("n=5, 1 comparisons per family, 10 splits: a false")
