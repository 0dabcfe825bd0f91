import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from experiments.report.compare.contrasts import contrasts, planned
from experiments.report.compare.differences import Declared
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.statistics import items
from experiments.study.plan import Plan
from tests import made

NETWORKS = {"model": ["small_cnn", "inception"]}
# What padding adds to the accuracy of `same`, in points, by network.
EFFECTS = {"small_cnn": -20.0, "inception": 5.0}
ITEMS = 1000


def right(model, padding, seed):
    """80 % of the items and what the padding adds; a seed adds its own tenth of a point."""
    own = 0.3 * (seed % 2) * (model == "small_cnn")
    points = 80.0 + seed / 10 + (EFFECTS[model] + own) * (padding == "valid")
    return np.arange(ITEMS) < round(ITEMS * points / 100)


def crossed(folder, seeds=range(4), paddings=("same", "valid"), contrast=None, **changes):
    """Two networks under two paddings, and the plan that declares their contrast."""
    for model in EFFECTS:
        for padding in paddings:
            for seed in seeds:
                own = {"name": model} if model != "small_cnn" else {}
                made.run(
                    folder, padding, seed, right=right(model, padding, seed), model=own, **changes
                )
    made.plan(
        folder, contrasts=[contrast or {"padding": ["valid"], "between": NETWORKS}], margin=1.0
    )
    return computed(folder)


def computed(folder, seeds=None):
    plan = Plan.read(folder)
    declared = Declared(margin=plan.declared.margin, plan=plan)
    return contrasts(families(read(folder, plan=plan).cells), declared)


def test_a_contrast_is_the_difference_of_two_differences_seed_by_seed(tmp_path):
    found = crossed(tmp_path)
    ((name, values),) = found.values.items()
    assert name == "valid: small_cnn − inception on placed_digits"
    assert values == pytest.approx(
        [-25.0, -24.7, -25.0, -24.7], abs=0.101
    )  # an item is a tenth of a point
    (one,) = found.comparisons
    assert one.comparisons == 1 and one.n == 4 and one.mean == pytest.approx(np.mean(values))


def test_contrasts_are_decided_by_the_rule_of_all_comparisons(tmp_path):
    folder = tmp_path / "study"
    for seed in range(6):
        for model in EFFECTS:
            for padding in ("same", "valid", "reflect"):
                of = made.outcomes(f"{model}{padding}", seed, ITEMS)
                own = {"name": model} if model != "small_cnn" else {}
                made.run(folder, padding, seed, right=of, model=own)
    both = {"padding": ["valid", "reflect"], "between": NETWORKS}
    made.plan(folder, contrasts=[both])
    found = computed(folder)
    assert [c.comparisons for c in found.comparisons] == [2, 2]
    for one in found.comparisons:
        values = np.array(found.values[one.name])
        half = stats.t.ppf(1 - 0.05 / 4, 5) * values.std(ddof=1) / np.sqrt(6)
        assert (one.low, one.high) == pytest.approx((values.mean() - half, values.mean() + half))


def test_what_was_planned_is_counted_whether_or_not_it_ran(tmp_path):
    crossed(tmp_path)
    plan = Plan.read(tmp_path)
    assert planned(plan, "same") == 1
    for cell in read(tmp_path, plan=plan).cells:
        if cell.label == "valid" and cell.config.model.name == "inception":
            for seed in cell.records:
                (tmp_path / cell.name / f"seed={seed}" / "status.json").unlink()
    found = computed(tmp_path)
    assert not found.comparisons and planned(plan, "same") == 1
    assert list(found.left_out.values()) == [
        "there is no run of valid in inception on placed_digits"
    ]


@pytest.mark.parametrize(
    ("contrast", "why"),
    [
        ({"padding": ["circular"], "between": NETWORKS}, "no run of circular in small_cnn"),
        (
            {"padding": ["valid"], "between": {"data": ["placed_digits", "mnist"]}},
            "no two families differ in nothing but data",
        ),
    ],
)
def test_a_contrast_that_cannot_be_formed_is_named(tmp_path, contrast, why):
    found = crossed(tmp_path, contrast=contrast)
    (said,) = found.left_out.values()
    assert why in said and not found.comparisons


def test_networks_that_differ_in_more_than_the_setting_are_not_contrasted(tmp_path):
    for model, epochs in (("small_cnn", 2), ("inception", 3)):
        for padding in ("same", "valid"):
            for seed in range(3):
                own = {"name": model} if model != "small_cnn" else {}
                made.run(tmp_path, padding, seed, model=own, trainer={"epochs": epochs})
    made.plan(tmp_path, contrasts=[{"padding": ["valid"], "between": NETWORKS}])
    assert not computed(tmp_path).comparisons


def test_over_new_images_a_contrast_on_one_test_set_is_that_of_its_four_cells(tmp_path):
    """Known answer: the interval of (a − b) − (c − d) as if it were one comparison's."""
    found = crossed(tmp_path, seeds=range(6))
    (one,) = found.comparisons
    signs = {("small_cnn", "valid"): 1, ("small_cnn", "same"): -1}
    signs |= {("inception", "valid"): -1, ("inception", "same"): 1}
    sums = sum(
        100.0 * sign * np.stack([right(model, padding, seed) for seed in range(6)])
        for (model, padding), sign in signs.items()
    )
    ((low, high),) = items.intervals([items.TestSet(sums[None], np.ones(ITEMS))], [6], 1)[0]
    assert (one.over_new_images.low, one.over_new_images.high) == pytest.approx((low, high))


def test_over_new_images_two_test_sets_add_their_variance(tmp_path):
    for name in ("placed_digits", "mnist"):
        for padding in ("same", "valid"):
            for seed in range(6):
                of = made.outcomes(f"{name}{padding}", seed, ITEMS)
                of &= np.arange(ITEMS) % 4 > (padding == "valid")  # images that none gets right
                own = {} if name == "placed_digits" else {"name": name, "source": "tfds"}
                made.run(tmp_path, padding, seed, right=of, data=own, fingerprint=f"{name}/1.0.0+0")
    between = {"data": ["placed_digits", "mnist"]}
    made.plan(tmp_path, contrasts=[{"padding": ["valid"], "between": between}])
    (one,) = computed(tmp_path).comparisons
    assert one.name == "valid: placed_digits − mnist, small_cnn"
    new = one.over_new_images
    assert new.low < one.low - 0.1 and new.high > one.high + 0.1


def test_a_study_without_looks_is_looked_at_with_the_seeds_that_were_declared(tmp_path):
    crossed(tmp_path, seeds=range(8))
    plan = Plan.read(tmp_path)
    for name, cell in plan.cells.items():
        plan.cells[name] = dataclasses.replace(cell, declared_seeds=6)
    plan.write(tmp_path)
    found = computed(tmp_path)
    assert found.seeds == [0, 1, 2, 3, 4, 5] and found.comparisons[0].n == 6
    assert "not part of the verdict: seeds 6, 7 (6 seeds were declared)" in found.notes
    (late,) = tmp_path.glob("inception-valid-*/seed=3")
    status = late / "status.json"
    before = status.read_text()
    status.write_text('{"status": "RUNNING"}')
    waiting = computed(tmp_path)
    assert (waiting.comparisons[0].decided, waiting.next_look) == ("undecided", 6)
    status.write_text('{"status": "FAILED", "error": "the loss is NaN"}')
    short = computed(tmp_path)
    assert short.seeds == [0, 1, 2, 4, 5] and short.next_look is None
    told = "valid: small_cnn − inception on placed_digits lacks seed 3: all are compared over the "
    assert f"{told}seeds that they share" in short.notes
    status.write_text(before)
    assert computed(tmp_path).comparisons == found.comparisons


def test_pairs_of_families_that_differ_from_each_other_are_contrasts_of_their_own(tmp_path):
    for epochs in (2, 3):
        for model in EFFECTS:
            for padding in ("same", "valid"):
                for seed in range(4):
                    own = {"name": model} if model != "small_cnn" else {}
                    of = made.outcomes(f"{model}{padding}{epochs}", seed, ITEMS)
                    made.run(
                        tmp_path, padding, seed, right=of, model=own, trainer={"epochs": epochs}
                    )
    made.plan(tmp_path, contrasts=[{"padding": ["valid"], "between": NETWORKS}])
    plan = Plan.read(tmp_path)
    for name, cell in plan.cells.items():  # as a sweep's plan has them
        config = json.loads((tmp_path / name / "seed=0" / "config.json").read_text())
        overrides = [f"model={cell.model}", f"trainer.epochs={config['trainer']['epochs']}"]
        plan.cells[name] = dataclasses.replace(cell, overrides=overrides)
    plan.write(tmp_path)
    found = computed(tmp_path)
    assert len(found.comparisons) == planned(plan, "same") == 2
    assert {c.comparisons for c in found.comparisons} == {2}
    assert all("epochs" in c.name for c in found.comparisons)


def test_a_contrast_that_lacks_most_seeds_leaves_the_others_theirs(tmp_path):
    for model in EFFECTS:
        for padding in ("same", "valid", "reflect"):
            few = model == "inception" and padding == "reflect"
            for seed in range(1 if few else 6):
                own = {"name": model} if model != "small_cnn" else {}
                of = made.outcomes(f"{model}{padding}", seed, ITEMS)
                made.run(tmp_path, padding, seed, right=of, model=own)
    both = {"padding": ["valid", "reflect"], "between": NETWORKS}
    made.plan(tmp_path, contrasts=[both])
    found = computed(tmp_path)
    ((name, why),) = found.left_out.items()
    assert name.startswith("reflect") and why == "too few of its seeds (1) have all four cells"
    (one,) = found.comparisons
    assert one.n == 6 and one.comparisons == 2
