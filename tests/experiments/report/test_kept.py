"""A kept report, without its runs, is written anew from the runs that it lists."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.report import writing
from experiments.report.kept import __main__ as kept
from experiments.report.kept import kept_runs
from experiments.report.kept.kept_pages import write
from experiments.run.record import files
from tests import made
from tests.helpers import thinned

RESULTS = Path(kept.__file__).parents[2] / "results"
REPORTED = sorted(file.parent for file in RESULTS.rglob("differences.csv"))
KEPT = [str(folder.relative_to(RESULTS)) for folder in REPORTED]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("metric", ["test_accuracy", "accuracy_on/far"])
def test_what_is_todays_stays_as_it_is_to_the_byte(tmp_path, metric):
    subsets = None if metric == "test_accuracy" else np.repeat(["near", "far"], made.ITEMS // 2)
    study = made.study(tmp_path / "study", subsets=subsets)
    made.study(study, ("same", "valid"), range(3), model={"kernel_size": 4}, subsets=subsets)
    if metric != "test_accuracy":
        made.plan(study, metric=metric, margin=2.0)
    writing.write(study, tmp_path / "out")
    before = contents(tmp_path / "out")
    assert kept.main([str(tmp_path / "out")]) == 0
    after = contents(tmp_path / "out")
    changed = [name for name in before if before[name] != after[name]]
    if metric != "test_accuracy":  # a share of runs.csv, times 100, may be another double
        changed = [name for name in changed if name not in ("differences.csv", "report.html")]
    assert changed == []


def new(folder):
    """Each comparison over new test images."""
    names = ("new_items_low", "new_items_high", "new_items_verdict")
    return [tuple(row[name] for name in names) for row in rows(folder / "differences.csv")]


@pytest.mark.parametrize("groups", [None, np.sqrt(np.arange(made.ITEMS)).astype(int)])
def test_intervals_over_new_images_are_computed_from_the_correct_items(tmp_path, groups):
    """A family on its own test set and one on another, and columns that are computed anew."""
    study = made.study(tmp_path / "study", groups=groups)
    made.study(study, ("same", "valid"), range(3), model={"kernel_size": 4})
    out = tmp_path / "out"
    writing.write(study, out)
    before = new(out)
    assert all(all(one) for one in before)
    assert len(rows(out / "correct.csv")) == 18 + 6 + (1 if groups is None else 2)
    forgotten = rows(out / "differences.csv")
    for row in forgotten:
        row |= {"new_items_low": "-1", "new_items_high": "1", "new_items_verdict": ""}
    files.write_csv(out / "differences.csv", forgotten)
    write(out)
    assert new(out) == before


def test_without_the_items_that_runs_had_right_nothing_is_said_of_new_images(tmp_path):
    out = tmp_path / "out"
    writing.write(made.study(tmp_path / "study"), out)
    (out / "correct.csv").unlink()
    write(out)
    assert new(out) == [("", "", "")] * 2


def test_correct_items_of_other_runs_are_refused(tmp_path, capsys):
    out = tmp_path / "out"
    writing.write(made.study(tmp_path / "study"), out)
    lines = rows(out / "correct.csv")
    lines[1]["items"], lines[7]["items"] = lines[7]["items"], lines[1]["items"]
    files.write_csv(out / "correct.csv", lines)
    before = contents(out)
    with pytest.raises(SystemExit, match="2"):
        kept.main([str(out)])
    assert "correct.csv and runs.csv disagree on small_cnn-" in capsys.readouterr().err
    assert contents(out) == before


def test_what_is_not_todays_becomes_so(tmp_path):
    study = made.study(tmp_path / "study")
    out = tmp_path / "out"
    writing.write(study, out)
    today = contents(out)
    text = (out / "report.md").read_text()
    head, _, rest = text.partition("## Against same")
    pictures = rest[rest.index("\n![Accuracy by margin") :]
    (out / "report.md").write_text(f"{head}## Cells\n\nold\n\n## Against same\n\nold\n{pictures}")
    page = (out / "report.html").read_text()
    head, _, rest = page.partition("<h2>Against same</h2>")
    figures = rest[rest.index("<figure>") :].replace(
        "Accuracy against cost: means", "Accuracy against cost: old"
    )
    (out / "report.html").write_text(
        f"{head}<h2>Cells</h2>\n<p>old</p>\n<h2>Against same</h2>\n<p>old</p>\n{figures}"
    )
    differences = (out / "differences.csv").read_text()
    (out / "differences.csv").write_text(differences.replace(",comparisons,", ",old,"))
    for name in ("accuracy.png", "curves.png"):
        (out / name).write_bytes(b"old")
    for name in ("report.md", "report.html"):  # of the time before the forest plot
        page = (out / name).read_text()
        first = "![Paired" if name == "report.md" else "<figure>"
        second = "![Accuracy" if name == "report.md" else "<figure>"
        head, _, rest = page.partition(first)
        (out / name).write_text(head + second + rest.split(second, 1)[1])
    (out / "differences.png").unlink()
    write(out)
    assert [name for name in today if today[name] != contents(out)[name]] == []


@pytest.mark.parametrize("name", thinned(KEPT, 4))
def test_the_committed_reports_are_todays(tmp_path, name):
    """Of the comparisons: their numbers in differences.csv, and every page says the same."""
    shutil.copytree(RESULTS / name, tmp_path / "out")
    write(tmp_path / "out")
    sheets = [s for s in ("differences", "contrasts") if (RESULTS / name / f"{s}.csv").exists()]
    found, told = (
        [row for sheet in sheets for row in rows(folder / f"{sheet}.csv")]
        for folder in (tmp_path / "out", RESULTS / name)
    )
    assert len(found) == len(told) > 0
    for here, there in zip(found, told, strict=True):
        assert here.keys() == there.keys()
        for key, value in there.items():
            try:
                number = pytest.approx(float(value), rel=1e-5, abs=1e-9)
            except ValueError:
                assert here[key] == value, key
            else:
                assert float(here[key]) == number, key
    for page in ("report.md", "report.html"):
        if (RESULTS / name / page).exists():
            text = (RESULTS / name / page).read_text()
            again = (tmp_path / "out" / page).read_text()
            assert comparisons(text) == comparisons(again)
            assert "imultaneous" not in text
            assert "two one-sided" not in text


def comparisons(text):
    """The lines that hold a comparison or a bracket."""
    return [line for line in text.splitlines() if " − " in line and "[" in line]


def test_cells_that_were_not_alike_are_refused(tmp_path, capsys):
    study = made.study(tmp_path / "study", ("same", "reflect"))
    made.study(study, ("valid",), starts=[made.START | {"threads": 1}])
    writing.write(study, tmp_path / "out")
    with pytest.raises(SystemExit, match="2"):
        kept.main([str(tmp_path / "out")])
    assert "valid was not compared, it differs from same in threads" in capsys.readouterr().err


def test_a_folder_without_a_report_is_refused_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        kept.main([str(tmp_path)])
    assert f"{tmp_path} is no kept report: it has no runs.csv" in capsys.readouterr().err


def test_a_page_without_its_tables_is_refused_and_nothing_is_written(tmp_path, capsys):
    out = tmp_path / "out"
    writing.write(made.study(tmp_path / "study"), out)
    (out / "report.html").write_text("<body>\n<p>another page</p>\n")
    (out / "differences.csv").write_text((out / "differences.csv").read_text() + "\n")
    before = contents(out)
    with pytest.raises(SystemExit, match="2"):
        kept.main([str(out)])
    assert "its page has no part that begins" in capsys.readouterr().err
    assert contents(out) == before


@pytest.fixture
def declared(tmp_path):
    """The report of a study with looks, contrasts and tuned settings, of two test sets."""
    study = tmp_path / "study"
    for padding in ("same", "reflect", "valid"):
        for seed in range(6):
            right = made.outcomes(padding, seed, 300)
            made.run(study, padding, seed, optimizer={"learning_rate": 0.01 * len(padding)})
            made.run(study, padding, seed, data={"name": "mnist1d"}, right=right)
    between = {"data": ["placed_digits", "mnist1d"]}
    contrasts = [{"padding": ["valid", "reflect"], "between": between}]
    tuned = {"optimizer.learning_rate": [0.04, 0.05, 0.07]}
    made.plan(study, looks=[3, 5, 9], contrasts=contrasts, tuned=tuned)
    writing.write(study, tmp_path / "out")
    return tmp_path / "out"


def test_looks_contrasts_and_what_was_tuned_are_read_from_the_files(declared):
    before = contents(declared)
    text = before["report.md"].decode()
    assert "valid (learning\\_rate 0.05) − same" in text and "## Contrasts" in text
    assert len(rows(declared / "contrasts.csv")) == 2
    (declared / "contrasts.png").write_bytes(b"old")
    first, *others = rows(declared / "contrasts.csv")
    files.write_csv(declared / "contrasts.csv", [first | {"low": "-1"}, *others])
    write(declared)
    after = contents(declared)
    assert [name for name in before if before[name] != after[name]] == []


def test_as_many_comparisons_are_decided_together_as_were_declared(declared):
    lines = rows(declared / "differences.csv")
    low = [float(row["low"]) for row in lines]
    files.write_csv(declared / "differences.csv", [row | {"comparisons": 9} for row in lines])
    write(declared)
    again = rows(declared / "differences.csv")
    assert {row["comparisons"] for row in again} == {"9"}
    assert all(float(row["low"]) < before for row, before in zip(again, low, strict=True))


def test_a_report_that_needs_its_plan_is_refused(declared):
    text = (declared / "report.md").read_text()
    (declared / "report.md").write_text(f"{text}\nolder than its declaration: same\n")
    with pytest.raises(ValueError, match="report its runs"):
        kept_runs.read(declared)
