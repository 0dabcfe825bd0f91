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
    ("sizes", "unit", "told"),
    [
        ([(26.21, 23.28, 29.14)], "points", "26.2 (23.3 to 29.1) points"),
        (
            [(26.21, 25, 27.25), (3.0, 2, 4), (1.25, -0.1, 2.6)],
            "points",
            "26.2 (25.0 to 27.2), 3.0 (2.0 to 4.0) and 1.2 (-0.1 to 2.6) points",
        ),
        ([(0.125, 0.1, 0.15)], "dB", "0.12 (0.10 to 0.15) dB"),
        ([(0.00321, 0.003, 0.0034)], "", "0.00321 (0.003 to 0.0034)"),
        ([(0.83, 1.61, 2.24)], "points", "1.6 to 2.2 points"),
    ],
)
def test_sizes_in_a_sentence(sizes, unit, told):
    assert numbers.amount(sizes, unit) == told
