"""The forms in which a page may say what a comparison found, and those that say something else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from experiments.run.record import files
from tests.experiments.results.claims import changed
from tests.experiments.results.committed import RESULTS, rows, says, study
from tests.experiments.test_claims import wrong

STUDY = "crossing"
ROW, OTHER = rows(RESULTS / STUDY / "differences.csv")[:2]
MEAN, LOW, HIGH = (float(ROW[key]) for key in ("mean", "low", "high"))
CELL, BASELINE, ANOTHER = ROW["cell"], ROW["baseline"], OTHER["cell"]


def written(sentence: str) -> str:
    names = {"cell": CELL, "baseline": BASELINE, "another": ANOTHER, "size": abs(MEAN)}
    values = {"mean": MEAN, "low": LOW, "high": HIGH, "n": ROW["n"], "more": int(ROW["n"]) + 1}
    turned = {"turned": -MEAN, "turned_low": -HIGH, "turned_high": -LOW}
    return sentence.format(**names, **values, **turned).replace("-", "−")


@pytest.mark.parametrize("sentence", [
    "`{cell}` − `{baseline}` is {mean:+.1f} points [{low:+.1f}, {high:+.1f}]",
    "it is {mean:+.2f} [{low:+.2f}, {high:+.2f}], n = {n}",
    "`{cell}` is {size:.1f} points from `{baseline}` [{low:+.1f}, {high:+.1f}]",
    "`{baseline}` − `{cell}` is {turned:+.1f} [{turned_low:+.1f}, {turned_high:+.1f}]",
    "`{another}` is undecided. With {n} seeds\n`{cell}` is {mean:+.1f} [{low:+.1f},\n{high:+.1f}]",
    "| padding | points |\n|---|---|\n| `{cell}` | {mean:+.2f} [{low:+.2f}, {high:+.2f}] |",
])  # fmt: skip
def test_what_a_comparison_found_may_be_said_in_many_forms(sentence: str) -> None:
    assert wrong(STUDY, written(sentence)) == []


@pytest.mark.parametrize("sentence", [
    "`{another}` − `{baseline}` is {mean:+.1f} points [{low:+.1f}, {high:+.1f}]",
    "`{cell}` is nearer than `{another}`, {mean:+.1f} [{low:+.1f}, {high:+.1f}], n = {more}",
    "`{baseline}` − `{cell}` is {mean:+.1f} points [{low:+.1f}, {high:+.1f}]",
    "`{another}` is at\n{size:.1f} points [{low:+.1f}, {high:+.1f}]",
    "it is {mean:+.1f} [{high:+.1f}, {low:+.1f}]",
    "| padding | points |\n|---|---|\n| `{another}` | {mean:+.2f} [{low:+.2f}, {high:+.2f}] |",
])  # fmt: skip
def test_another_padding_sign_or_number_of_seeds_is_found(sentence: str) -> None:
    assert len(wrong(STUDY, written(sentence))) == 1


def test_figures_of_another_epoch_are_those_of_its_table() -> None:
    """The report is read where there is no CSV file of it."""
    report = (RESULTS / STUDY / "report.md").read_text().partition("### At another epoch")[2]
    table = report.partition("\n\n|")[2].partition("\n\n")[0]
    lines = [line.split(" | ") for line in table.splitlines()[2:]]
    assert len(lines) >= 3
    for _, compared, _, told, *_ in lines:
        sentence = f"`{compared.partition(' ')[0]}` − `same` is {told}".replace("-", "−")
        assert wrong(STUDY, sentence) == []
        assert all(wrong(STUDY, other) for _, _, other in changed(sentence))


def test_figures_of_another_epoch_are_those_of_its_csv_file(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / STUDY, tmp_path / "some")
    at = [{"metric": "test_accuracy@2", **ROW, "mean": 777.5}]
    files.write_csv(tmp_path / "some" / "differences_at.csv", at)
    effects = study(tmp_path / "some").effects
    (row,) = [row for row in effects if row.mean == 777.5]
    assert row.intervals[0] == (LOW, HIGH) and row.names["padding"] == {CELL}
    assert not [row for row in effects if row.slack and not row.described], "of the report"


@pytest.mark.parametrize(("text", "value", "is_said"), [
    ("+0.0", 0.04, True), ("−0.0", 0.04, False), ("0.0", -0.04, True), ("0.1", -0.1, False),
    ("2.5", 2.45, f"{2.45:.1f}" == "2.5"), ("−2.4", -2.41, True), ("+2.4", -2.41, False),
])  # fmt: skip
def test_a_figure_is_rounded_and_has_its_sign(text: str, value: float, is_said: bool) -> None:
    assert says(text, value) == is_said
