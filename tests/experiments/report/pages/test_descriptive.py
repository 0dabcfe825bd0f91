from pathlib import Path

import numpy as np
import pytest

from experiments.report.compare.differences import Declared, against_baseline
from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from experiments.report.kept import kept_runs
from experiments.report.pages import descriptive
from experiments.report.pages.document import Table
from experiments.report.statistics.paired import paired_interval
from tests import made

RESULTS = Path(kept_runs.__file__).parents[2] / "results"


def rows(study, metric="test_accuracy"):
    """(metric, padding) -> what the table says."""
    found = families(read(study, metric).cells)
    compared = [against_baseline(family, Declared(metric=metric)) for family in found]
    tables = [b for b in descriptive.blocks(compared, metric) if isinstance(b, Table)]
    texts = [[str(entry) for entry in row] for table in tables for row in table.rows]
    return {(metric, padding): rest for metric, padding, *rest in texts}


def test_cut_is_weighted_by_the_number_of_examples():
    bins = {
        "below -4": {"accuracy": 0.5, "n": 10},
        "-4 to 0": {"accuracy": 1.0, "n": 30},
        "0 to 3": {"accuracy": 0.0, "n": 100},
    }
    assert descriptive.where_cut({"accuracy_by_margin": bins}) == pytest.approx(87.5)
    assert descriptive.where_cut({}) is None


def test_differences_are_paired_over_the_seeds_that_both_have(tmp_path):
    made.study(tmp_path, ("same",), (0, 1, 2))
    made.study(tmp_path, ("valid",), (1, 2, 3))
    found = rows(tmp_path)
    values, base = (
        [100 * made.outcomes(padding, seed).mean() for seed in (1, 2)]
        for padding in ("valid", "same")
    )
    mean, low, high = paired_interval(values, base)
    n, _, _, difference = found["validation accuracy", "valid"]
    assert (n, difference) == ("3", f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]")
    assert found["validation accuracy", "same"][-1] == "–"
    assert ("test accuracy where the border cuts", "valid") in found


def test_runs_that_may_not_be_paired_have_no_difference(tmp_path):
    made.study(tmp_path, ("same",))
    made.study(tmp_path, ("valid",), starts=[made.START | {"device": "another"}])
    assert {row[-1] for row in rows(tmp_path).values()} == {"–"}


UNEVEN = np.repeat([0, 1, 2], [300, 80, 20])  # the labels of 400 items


def test_where_classes_are_unequal_balanced_accuracy_and_each_class_are_described(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0, 1), labels=UNEVEN)
    by_class = np.array(
        [[made.outcomes("valid", s)[i == UNEVEN].mean() for i in range(3)] for s in (0, 1)]
    )
    found = rows(tmp_path)
    n, mean, sd, difference = found["balanced accuracy", "valid"]
    assert (n, mean) == ("2", f"{100 * by_class.mean():.2f}")
    assert sd == f"{100 * by_class.mean(axis=1).std(ddof=1):.2f}"
    assert difference.startswith("-")
    (compared,) = (against_baseline(f, Declared()) for f in families(read(tmp_path).cells))
    table = descriptive.blocks([compared], "test_accuracy")[-1]
    assert table.columns == ["test accuracy on class", "same", "valid"]
    assert [[str(row[0]), str(row[2])] for row in table.rows] == [
        [f"class {i}", f"{100 * by_class[:, i].mean():.2f}"] for i in range(3)
    ]


def test_where_classes_are_equal_their_mean_is_the_accuracy_and_is_not_said_again(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0, 1))
    assert "balanced accuracy" not in {metric for metric, _ in rows(tmp_path)}


def test_every_subset_but_the_primary_one_is_described(tmp_path):
    subsets = np.repeat(["near", "far"], made.ITEMS // 2)
    made.study(tmp_path, ("same", "valid"), (0, 1), subsets=subsets)
    metrics = {metric for metric, _ in rows(tmp_path, "accuracy_on/far")}
    assert metrics == {"validation accuracy", "accuracy on near"}, "near is what test accuracy is"
    far = np.mean([100 * made.outcomes("valid", seed)[200:].mean() for seed in (0, 1)])
    assert rows(tmp_path)["accuracy on far", "valid"][1] == f"{far:.2f}"


def test_no_subset_stands_beside_the_accuracy_that_it_is(tmp_path):
    """The first subset is what test accuracy means."""
    subsets = np.repeat(["near", "far"], made.ITEMS // 2)
    made.study(tmp_path, ("same", "valid"), (0, 1), subsets=subsets)
    assert {metric for metric, _ in rows(tmp_path)} == {"validation accuracy", "accuracy on far"}
    metrics = {metric for metric, _ in rows(tmp_path, "accuracy_on/near")}
    assert metrics == {"validation accuracy", "accuracy on far"}


def test_subsets_that_are_equal_by_chance_are_all_described(tmp_path):
    subsets = np.repeat(["near", "far", "beyond"], 100)
    made.study(tmp_path, ("same",), (0, 1), subsets=subsets, right=np.tile([True, False], 150))
    metrics = {metric for metric, _ in rows(tmp_path)}
    assert {"accuracy on far", "accuracy on beyond"} <= metrics


def test_differences_that_do_not_vary_have_no_interval(tmp_path):
    far = np.repeat(["near", "far"], made.ITEMS // 2)
    for seed in range(3):
        right = made.outcomes("same", seed)
        right[:4] = False
        more = right.copy()
        more[:4] = True
        made.run(tmp_path, "same", seed, right=right, subsets=far)
        made.run(tmp_path, "valid", seed, right=more, subsets=far)
    found = rows(tmp_path)
    assert found["accuracy on far", "valid"][-1] == "a tie"
    assert found["validation accuracy", "valid"][-1] == "+1.00 in every seed"


def test_numbers_have_the_digits_of_their_unit():
    """Errors of thousandths, of a study that is kept."""
    report = kept_runs.read(RESULTS / "torus")
    blocks = descriptive.blocks(report.compared, report.declared.metric)
    (table,) = (block for block in blocks if isinstance(block, Table))
    (row,) = (r for r in table.rows if str(r[1]).startswith("same "))
    assert [str(e) for e in row[3:]] == ["0.05532", "0.001496", "+0.0503 [+0.0491, +0.0515]"]
