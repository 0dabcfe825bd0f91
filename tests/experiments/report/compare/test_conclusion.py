import dataclasses

import numpy as np
import pytest

from experiments.report.compare.conclusion import conclusion
from experiments.report.compare.differences import Compared
from experiments.report.statistics.verdict import OverNewImages, compare

NOISE = np.array([-0.2, 0.1, 0.0, 0.2, -0.1, 0.0])


def family(**means):
    """Cells whose mean differences from `same` are these points, with little noise between them."""
    cells = {"same": [80.0] * 6}
    for i, (name, mean) in enumerate(means.items()):
        cells[name] = 80 + mean + np.roll(NOISE, i) * (1 if abs(mean) != 0.5 else 20)
    found = compare(cells, "same", margin=2.0)
    return Compared(None, "same", comparisons=found, seeds=list(range(6)))


def test_what_is_worse_better_and_not_decided():
    one = family(valid=-26.2, odd=-23.4, learned=5.0, reflect=0.5)
    assert conclusion(one, "test_accuracy") == (
        "with 6 seeds, valid and odd do worse than same, by 26.2 (26.0 to 26.4) and 23.4 (23.2 to "
        "23.6) points; learned does better than same, by 5.0 (4.8 to 5.2) points; whether reflect "
        "does better or worse is not decided"
    )


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (1.0, "learned differs from same by less than 2 points"),
        (0.0, "learned differs from same by less than 2 points, if at all"),
    ],
)
def test_what_is_within_the_margin(mean, words):
    assert conclusion(family(learned=mean), "test_accuracy") == f"with 6 seeds, {words}"


def test_a_verdict_that_does_not_hold_for_other_images_is_limited():
    one = family(valid=-26.2, odd=-23.4)
    first, second = one.comparisons
    one.comparisons[:] = [
        dataclasses.replace(first, over_new_images=OverNewImages(-60.0, 7.0, "undecided")),
        dataclasses.replace(second, over_new_images=OverNewImages(-30.0, -7.0, "differs")),
    ]
    assert conclusion(one, "test_accuracy") == (
        "with 6 seeds, valid and odd do worse than same, by 26.2 (26.0 to 26.4) and 23.4 (7.0 to "
        "30.0) points; on these test images only, this holds for valid ([-60.00, "
        "+7.00] over new ones)"
    )


def test_looks_that_contradict_each_other_give_no_direction():
    first, second = 3 + NOISE, -30 + 10 * NOISE
    found = compare({"same": np.zeros(12), "reflect": [*first, *second]}, "same", planned=(6, 12))
    one = Compared(None, "same", comparisons=found, seeds=list(range(12)))
    assert found[0].decided == "differs" and found[0].mean < 0
    assert conclusion(one, "test_accuracy") == (
        "with 12 seeds, for reflect the intervals of the looks do not overlap, so that no size is "
        "told"
    )


def test_a_mean_that_left_the_interval_is_not_told():
    values = [*(1.9 + NOISE), *(NOISE * 6 - 0.2)]
    (found,) = compare({"same": np.zeros(12), "reflect": values}, "same", planned=(6, 12))
    assert found.mean < found.low
    one = Compared(None, "same", comparisons=[found], seeds=list(range(12)))
    told = f"with 12 seeds, reflect does better than same, by {found.low:.1f} to {found.high:.1f}"
    assert conclusion(one, "test_accuracy") == f"{told} points"


def test_without_comparisons_nothing_is_said():
    assert conclusion(Compared(None, None), "test_accuracy") is None


def test_a_smaller_error_is_better_and_has_its_own_unit():
    cells = {"same": 1e-3 * NOISE + 0.05, "circular": 1e-3 * np.roll(NOISE, 1) + 0.04}
    found = compare(cells, "same", margin=0.001, unit="")
    one = Compared(None, "same", comparisons=found, seeds=list(range(6)))
    assert (
        conclusion(one, "test_mae")
        == "with 6 seeds, circular does better than same, by 0.01 (0.00975 to 0.0102)"
    )
    assert "circular does worse" in conclusion(one, "test_psnr")
