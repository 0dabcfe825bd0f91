import pytest

from experiments.report.statistics import simulation


def test_false_findings_in_simulated_studies():
    """At the 5 % level the lower 99 % limit of the family's rate must not be above 5 %."""
    found = simulation.false_findings()
    assert found.studies == 2000
    assert found.lower <= 0.05
    assert found.share > 0.03  # a test that never finds anything would pass too


@pytest.mark.full
def test_coverage_in_simulated_studies():
    single, together = simulation.coverage()
    assert 0.93 <= single.share <= 0.97
    assert 0.935 <= together.share <= 0.97


@pytest.mark.parametrize("effect", simulation.EFFECTS)
def test_planted_differences_are_found_as_often_as_theory_says(effect):
    found, theory = simulation.power(effect)
    assert found.share == pytest.approx(theory, abs=0.04)


def test_a_rates_limit_is_its_exact_one():
    """The chance of at least that many is 1 % at the limit."""
    from scipy import stats

    rate = simulation.Rate(20, 200)
    assert stats.binom.sf(19, 200, rate.lower) == pytest.approx(0.01)
