import re

import numpy as np
import pytest

from experiments.report.statistics.verdict import (
    DIFFERS,
    EQUIVALENT,
    TIED,
    UNDECIDED,
    WITHIN,
    compare,
)


def cells(effect, sd, n=10, others=2):
    random = np.random.default_rng(0)
    base = random.normal(90, 1, n)
    noise = random.normal(0, sd, (n, others))
    noise -= noise.mean(axis=0)
    return {
        "same": base,
        **{f"mode{i}": base + effect + noise[:, i] for i in range(others)},
        "twin": base,
    }


@pytest.mark.parametrize(("effect", "sd", "verdict", "words"), [
    (1.0, 0.2, DIFFERS, r"^mode0 − same: \+1\.00 points \[\+0\.\d\d, \+1\.\d\d\], n=10, p=0.002"),
    (0.0, 0.2, EQUIVALENT, r"\+0\.00 points .* equivalent within 0\.3$"),
    (0.1, 0.02, WITHIN, r"differs, but within 0\.3$"),
    (0.3, 1.0, UNDECIDED, r"undecided$"),
])  # fmt: skip
def test_four_verdicts(effect, sd, verdict, words):
    first, second, twin = compare(cells(effect, sd), "same")
    assert first.verdict == second.verdict == verdict
    assert re.search(words, str(first))
    assert (twin.verdict, twin.p, str(twin)) == (TIED, None, f"twin − same: {TIED}, n=10")


def test_the_family_is_wider_than_its_members():
    first, *_ = compare(cells(0.2, 0.5, others=6), "same")
    assert first.family_low < first.low < first.mean < first.high < first.family_high


@pytest.mark.parametrize("n", [4, 6])  # 6: the smallest p is 0.031, the family's level 0.025
def test_too_few_seeds_give_no_p(n):
    first, *_ = compare(cells(5.0, 0.1, n=n), "same")
    assert "too few seeds for this family to test" in str(first)
    assert "p=" not in str(first)
    assert first.verdict == UNDECIDED


def test_pairing_gains_where_seeds_move_both():
    first, *_ = compare(cells(0.2, 0.3), "same")
    assert first.pairing.correlation > 0.9
    assert first.pairing.gain > 5


def test_cells_must_have_the_same_seeds():
    with pytest.raises(ValueError, match="must have the same seeds; got {'a': 3, 'b': 2}"):
        compare({"a": [1.0, 2, 3], "b": [1.0, 2]}, "a")
    assert compare({"a": [1.0, 2, 3]}, "a") == []
