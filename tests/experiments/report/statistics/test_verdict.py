import dataclasses
import re

import numpy as np
import pytest

from experiments.report.statistics.verdict import (
    AGREES,
    CANNOT,
    DIFFERS,
    DISAGREES,
    EQUIVALENT,
    UNDECIDED,
    WITHIN,
    OverNewImages,
    compare,
    over_new_images,
)

LOOKS = (8, 12, 20)


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


def one(column, margin=0.3, **options):
    """The comparison of a cell whose differences are these."""
    base = np.linspace(80, 81, len(column))
    (found,) = compare({"same": base, "other": base + column}, "same", margin, **options)
    return found


def spread(mean, sd, n):
    """n differences with exactly this mean and sd."""
    column = np.random.default_rng(n).normal(size=n)
    return mean + sd * (column - column.mean()) / column.std(ddof=1)


@pytest.mark.parametrize(("effect", "sd", "verdict", "words"), [
    (1.0, 0.2, DIFFERS, r"^mode0 − same: \+1\.00 \[\+0\.\d\d, \+1\.\d\d\] points, n=10: differs; "),
    (0.0, 0.2, EQUIVALENT, r"\+0\.00 .*: equivalent within the margin; .* agrees$"),
    (0.1, 0.02, WITHIN, r": differs, by less than the margin;"),
    (0.3, 1.0, UNDECIDED, r": undecided; "),
])  # fmt: skip
def test_four_verdicts(effect, sd, verdict, words):
    first, second, twin = compare(cells(effect, sd), "same")
    assert first.verdict == second.verdict == verdict
    assert re.search(words, str(first))
    assert (twin.verdict, twin.p, twin.low) == ("a tie in 10 seeds", None, None)
    assert str(twin) == "twin − same: a tie in 10 seeds"


def test_the_verdict_is_that_of_the_interval_that_is_shown():
    """A difference of one margin's width: just outside or just inside of what it decides."""
    for mean, sd in np.random.default_rng(1).uniform((-1, 0.05), (1, 1), (200, 2)):
        found = one(spread(mean, sd, 8), 0.5, comparisons=3)
        outside, inside = not found.low <= 0 <= found.high, found.low > -0.5 and found.high < 0.5
        assert (found.verdict in (DIFFERS, WITHIN)) == outside
        assert (found.verdict in (EQUIVALENT, WITHIN)) == inside


def test_k_is_declared_and_not_the_number_of_those_that_vary():
    few, many = (one(spread(1, 1, 8), comparisons=k) for k in (1, 12))
    assert many.low < few.low < few.mean < few.high < many.high
    with_a_tie = compare(cells(0.2, 0.5, others=1), "same")[0]
    assert with_a_tie.comparisons == 2
    with pytest.raises(ValueError, match="only 1 were declared"):
        compare(cells(0, 1), "same", comparisons=1)


def test_no_difference_that_is_the_same_at_every_seed_has_an_interval_of_no_width():
    found = one(np.full(7, 0.2))
    assert (found.low, found.high, found.p) == (None, None, None)
    assert found.verdict == "the same difference, +0.20, in 7 seeds"


def test_few_seeds_can_decide_and_the_test_that_cannot_says_so():
    found = one(spread(-28, 2, 3), comparisons=5)
    assert (found.verdict, found.test) == (DIFFERS, CANNOT)
    assert str(found).endswith("sign-flip p at least 0.25: 3 seeds cannot reach 0.05")


@pytest.mark.parametrize("n", [6, 7])
def test_a_large_family_of_few_seeds_is_not_thrown_away(n):
    """The smallest p is 2/2ⁿ whatever k: .031 for six seeds."""
    random = np.random.default_rng(2)
    base = random.normal(80, 1, n)
    found = compare(
        {"same": base, **{str(i): base + 3 + random.normal(0, 0.5, n) for i in range(5)}}, "same"
    )
    assert {c.verdict for c in found} == {DIFFERS}
    assert {c.test for c in found} == {AGREES}


def test_a_test_that_does_not_agree_changes_no_verdict():
    """One seed far off hides six that agree from Student's t, and not from their signs."""
    found = one(np.array([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 0.9, 9.0]))
    assert found.p == 2 / 256
    assert (found.verdict, found.test) == (UNDECIDED, DISAGREES)


def test_looks_take_the_first_seeds():
    column = np.concatenate([spread(1, 0.5, 8), spread(0, 5, 3)])
    found = one(column, planned=LOOKS)
    assert (found.n, found.level, found.mean) == (8, pytest.approx(0.01), pytest.approx(1))
    alone = one(column[:8], planned=LOOKS)
    assert (found.low, found.high, found.p) == (alone.low, alone.high, alone.p)


def test_before_the_first_look_nothing_is_decided_or_shown():
    found = one(spread(10, 0.1, 7), planned=LOOKS)
    assert (found.verdict, found.low, found.p, found.n) == (UNDECIDED, None, None, 7)
    assert found.interval == "+10.00, the first look is at 8 seeds"


def test_a_verdict_once_given_is_not_taken_back():
    random = np.random.default_rng(3)
    kept = 0
    for _ in range(100):
        column = random.normal(0.6, 1, 20)
        first, *later = (one(column[:n], 2.0, planned=LOOKS) for n in LOOKS)
        for found in later:
            for verdicts in ((DIFFERS, WITHIN), (EQUIVALENT, WITHIN)):
                if first.verdict in verdicts:
                    assert found.verdict in verdicts
                    kept += 1
            first = found
    assert kept > 30


def test_looks_that_contradict_each_other_are_said_to():
    column = np.concatenate([spread(0, 0.01, 8), spread(30, 0.01, 4) + np.arange(4)])
    found = one(np.concatenate([column, np.full(8, 31.0)]), planned=LOOKS)
    assert found.verdict == EQUIVALENT, "as it was given after eight seeds"
    assert found.interval.endswith(", the intervals of the looks do not overlap")


def test_before_a_single_look_nothing_is_decided():
    short, whole = one(spread(1, 1, 9), planned=(10,)), one(spread(1, 1, 12), planned=(10,))
    assert (short.n, short.level, whole.n) == (9, None, 10)
    assert (short.decided, short.why) == ("undecided", "the look is at 10 seeds")


def test_pairing_gains_where_seeds_move_both():
    first, *_ = compare(cells(0.2, 0.3), "same")
    assert first.pairing.correlation > 0.9
    assert first.pairing.gain > 5


def test_cells_must_have_the_same_seeds():
    with pytest.raises(ValueError, match="must have the same seeds; got {'a': 3, 'b': 2}"):
        compare({"a": [1.0, 2, 3], "b": [1.0, 2]}, "a")
    assert compare({"a": [1.0, 2, 3]}, "a") == []


def told(mean, sd, new, **options):
    found = one(spread(mean, sd, 8), **options)
    return dataclasses.replace(found, over_new_images=over_new_images(np.array(new), found.margin))


@pytest.mark.parametrize(("mean", "new", "decided", "words"), [
    (5, [[1, 9]], DIFFERS, "differs; over new test images [+1.00, +9.00]: the same; sign-flip"),
    (5, [[-1, 11]], UNDECIDED,
     "differs on these test images; undecided over new ones [-1.00, +11.00]; sign-flip"),
    (0, [[-3, 3]], UNDECIDED,
     "equivalent within the margin on these test images; undecided over new ones [-3.00, +3.00]"),
    (0, [[-2.5, 1.5], [-1, 2.9]], EQUIVALENT,
     "equivalent within the margin; over new test images [-1.00, +1.50]: the same"),
    (5, [[0.5, 2], [-4, 9]], WITHIN,
     "differs on these test images; differs, by less than the margin over new ones"),
])  # fmt: skip
def test_the_sentence_tells_both_verdicts(mean, new, decided, words):
    found = told(mean, 0.5, new, margin=2.6)
    assert found.over_new_images.decided == decided
    assert words in str(found)
    assert found.interval in str(found), "the interval that decides stands beside it"
    assert found.agreed == ("the same" in words)


def test_looks_that_contradict_each_other_over_new_images_are_said_to():
    found = told(5, 0.5, [[1, 3], [4, 9]])
    assert found.over_new_images == OverNewImages(None, None, DIFFERS)
    assert "over new test images the intervals of the looks do not overlap: the same" in str(found)
    assert over_new_images(np.empty((0, 2)), 1.0) is None


def test_before_the_first_look_the_unit_stands_by_the_number():
    (one,) = compare({"same": [80.0, 81.0], "valid": [70.0, 72.0]}, "same", planned=(8, 12))
    assert str(one) == ("valid − same: -9.50 points, the first look is at 8 seeds, n=2: undecided")
