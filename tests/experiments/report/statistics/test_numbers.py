import pytest

from experiments.report.statistics import numbers


@pytest.mark.parametrize(
    ("value", "unit", "plain", "signed"),
    [
        (81.728, "%", "81.73", "+81.73"),
        (0.0004, "dB", "0.00", "+0.00"),
        (0.0123456, "", "0.01235", "+0.0123"),
        (-1234.5, "", "-1234", "-1.23e+03"),
    ],
)
def test_a_value_has_the_digits_of_its_unit(value, unit, plain, signed):
    assert numbers.plain(value, unit) == plain
    assert numbers.signed(value, unit) == signed


def test_an_interval_has_its_signs():
    assert numbers.brackets(-0.5, 2.25) == "[-0.50, +2.25]"


@pytest.mark.parametrize(
    ("values", "unit", "told"),
    [
        ([26.21], "points", "26.2 points"),
        ([26.21, 3.0, 1.25], "points", "26.2, 3.0 and 1.2 points"),
        ([0.125], "dB", "0.12 dB"),
        ([0.00321, 0.5], "", "0.00321 and 0.5"),
    ],
)
def test_sizes_in_a_sentence(values, unit, told):
    assert numbers.amount(values, unit) == told
