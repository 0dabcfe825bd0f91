import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from experiments.report.compare.next_look import next_looks
from experiments.report.kept import kept_pages
from experiments.report.pages.pictures import canvas
from experiments.report.writing import finish, main, table, write
from experiments.study.plan import NotApplicable
from tests import made
from tests.helpers import read_back

PICTURES = ("differences", "accuracy", "margin", "cost", "curves")
SHEETS = ("runs", "differences", "curves", "correct", "timings")


@pytest.fixture
def study(tmp_path):
    return made.study(tmp_path / "some")


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def said(folder):
    return (folder / "report.md").read_text()


@pytest.mark.full
def test_the_command_writes_what_the_runs_left(tiny, capsys):
    tiny("-m", "padding=same,valid", "seed=0,1")
    assert main(["runs/default", "--out", "kept"]) == 0
    stored = [
        json.loads((path / "results.json").read_text())
        for path in sorted(Path("runs/default").glob("*/seed=*"))
    ]
    runs = rows("kept/runs.csv")
    assert [float(run["test_accuracy"]) for run in runs] == [r["test_accuracy"] for r in stored]
    assert [(run["padding"], run["seed"]) for run in runs] == [
        ("same", "0"), ("same", "1"), ("valid", "0"), ("valid", "1")
    ]  # fmt: skip
    assert [point["epoch"] for point in rows("kept/curves.csv")] == ["1", "2"] * 4
    first, second = (100 * r["test_accuracy"] for r in stored[:2])
    mean, sd = (first + second) / 2, abs(first - second) / 2**0.5
    row = next(line for line in said(Path("kept")).splitlines() if "| same |" in line)
    assert f"| same | 2 | {mean:.2f} | {sd:.2f} | {first:.2f}, " in row
    assert f"| {first:.2f}, {second:.2f} |" in row
    (compared,) = rows("kept/differences.csv")
    accuracies = [100 * r["test_accuracy"] for r in stored]
    points = [accuracies[2] - accuracies[0], accuracies[3] - accuracies[1]]
    assert float(compared["mean"]) == pytest.approx(sum(points) / 2)
    assert (compared["cell"], compared["baseline"], compared["n"]) == ("valid", "same", "2")
    assert (compared["comparisons"], compared["sign_flip"]) == ("1", "too few seeds")
    assert "padding=same,valid seed=0,1`" in said(Path("kept"))
    assert "data.data_dir" not in said(Path("kept")), "a path of this machine"


def test_everything_is_written_and_told(study, capsys):
    assert finish(study)
    folder = study / "report"
    for name in SHEETS:
        assert rows(folder / f"{name}.csv")
    for name in PICTURES:
        assert imread(folder / f"{name}.png").std() > 0.05
        assert f"]({name}.png)" in said(folder)
    assert (study / "accuracy.png").read_bytes() == (folder / "accuracy.png").read_bytes()
    assert list((study / "_summary").glob("events*"))
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "small_cnn on placed_digits: test accuracy, %"
    told = {line.split()[0]: line for line in out if line}
    assert told["same"].endswith("the baseline")
    assert re.search(r"differs; the same over new test images$", told["valid"])
    assert told["brackets:"] == (
        "brackets: 95 % over all comparisons and looks (2 comparisons, look at 6 seeds)"
    )
    assert told["report"].endswith("some/report/report.html")
    assert out[-1].split() == ["picture", f"{folder / 'differences.png'}"]


@pytest.mark.full
def test_every_planned_run_must_be_there(study, capsys):
    made.plan(study, question="Does it matter?")
    assert finish(study)
    assert main([str(study)]) == 0
    assert "18 of 18 planned runs are complete" in said(study / "report")
    made.plan(study, seeds=(77, 78))
    assert not finish(study)
    assert main([str(study)]) == 1
    out = capsys.readouterr().out
    assert "seeds 77, 78: missing: there are no files" in out and out.count("missing:") == 6
    assert "18 of 24 planned runs are complete" in said(study / "report")


def test_a_plan_of_which_nothing_ran_is_reported(tmp_path):
    made.plan(made.study(tmp_path, seeds=(0,)))
    for status in tmp_path.glob("*/*/status.json"):
        status.unlink()
    assert not finish(tmp_path)
    assert "0 of 3 planned runs are complete" in said(tmp_path / "report")


def test_what_is_declared_is_what_is_compared(study):
    made.plan(study, baseline="valid", margin=5.0, question="Which?", aliases=[("half", "same")])
    write(study)
    text = said(study / "report")
    assert "Which?" in text
    assert "Baseline valid" in text
    margin = "equivalence margin 5 points (smaller differences are negligible)"
    assert f"{margin}: declared in the study's plan, which does not say when" in text
    assert "| same, also half − valid | 6 | +" in text
    assert "| same, also half |" in text
    assert {row["margin"] for row in rows(study / "report" / "differences.csv")} == {"5.0"}


def shown(text, differences, name):
    """The interval of a comparison as the CSV has it, its line in the report, and its row."""
    (row,) = (row for row in differences if row["cell"] == name)
    numbers = (float(row[key]) for key in ("mean", "low", "high"))
    interval = "{:+.2f} [{:+.2f}, {:+.2f}]".format(*numbers)
    (line,) = (line for line in text.splitlines() if interval in line)
    return interval, line, row


def test_the_same_interval_and_verdict_stand_everywhere_and_once(study, capsys):
    finish(study)
    told = capsys.readouterr().out
    text, page = said(study / "report"), (study / "report" / "report.html").read_text()
    pictures, tables = (
        re.findall(r"<svg.*?</svg>", page, re.DOTALL),
        re.sub("<svg.*?</svg>", "", page, flags=re.DOTALL),
    )
    summary = read_back(study / "_summary")
    (tag,) = (tag for tag in summary.Tags()["tensors"] if tag.startswith("against_same/"))
    events = summary.Tensors(tag)[0].tensor_proto.string_val[0].decode()
    for name in ("reflect", "valid"):
        interval, line, row = shown(text, rows(study / "report" / "differences.csv"), name)
        new = "[{:+.2f}, {:+.2f}]".format(*(float(row[f"new_items_{e}"]) for e in ("low", "high")))
        verdict, other = row["verdict"], row["new_items_verdict"]
        entry = f"{new} {'the same' if other == verdict else other}"
        assert line.startswith(f"| {name} − same | 6 | {interval} | {verdict} | {entry} | ")
        assert line in events
        assert tables.count(interval) == 1
        assert [picture.count(interval) for picture in pictures] == [1, 0, 0, 0, 0]
        words = f"{verdict}; over new test images {new}: the same"
        if new in interval:
            words = f"{verdict}; the same over new test images"
        if other != verdict:
            words = f"{verdict} on these test images; {other} over new ones {new}"
        ending = re.escape(f"{interval} ") + f" *{re.escape(words)}"
        assert re.search(rf"^{name} .*{ending}$", told, re.MULTILINE)


def test_the_forest_plot_is_first_and_accuracy_second(study):
    write(study)
    text = said(study / "report")
    assert re.findall(r"\]\((\w+)\.png\)", text) == list(PICTURES)
    assert text.index("](accuracy.png)") < text.index("\n## ")
    assert (study / "accuracy.png").read_bytes() == (study / "report" / "accuracy.png").read_bytes()


def test_an_undecided_study_prints_the_command_of_its_next_look(tmp_path, capsys):
    study = made.study(tmp_path / "some", ("same", "reflect"), range(3))
    plan = made.plan(study, looks=[3, 5, 9])
    plan.commands[:] = ["python train.py -m padding=same,reflect seed=0,1,2 runs_dir=/here"]
    plan.write(study)
    finish(study)
    command = "python train.py -m padding=same,reflect{} 'seed=range(5)'"
    line = "undecided: the next look is at 5 seeds: " + command
    here = line.format(" runs_dir=/here") + "  (about 4 minutes, one run at a time)"
    assert here in capsys.readouterr().out
    before, times = said(study / "report").split("## Times")
    assert line.format("") in before and "minutes" not in before
    assert "By these times, the next look takes about 4 minutes, one run at a time." in times
    assert "Looks at 3, 5, 9 seeds, at the levels 0.00882, 0.0147, 0.0265." in said(
        study / "report"
    )
    assert "brackets: 95 % over all comparisons and looks (1 comparison, look at 3 seeds)" in said(
        study / "report"
    )


def test_the_next_look_takes_others_for_seeds_that_failed_and_runs_cells_that_have_none(
    tmp_path, capsys
):
    study = made.study(tmp_path / "some", ("same", "reflect", "valid"), range(3))
    plan = made.plan(study, looks=[3, 5, 9])
    shutil.rmtree(next(study.glob("small_cnn-valid-*")))
    (failed,) = study.glob("small_cnn-reflect-*/seed=1")
    (failed / "status.json").write_text('{"status": "FAILED", "error": "the loss is NaN"}')
    plan.commands[:] = ["python train.py -m padding=same,reflect,valid seed=0,1,2"]
    plan.write(study)
    finish(study)
    told = "padding=same,reflect,valid seed=0,2,3  (about 5 minutes, one run at a time)"
    assert f"the next look is at 3 seeds: python train.py -m {told}" in capsys.readouterr().out


def test_a_declaration_with_its_time_is_told(study):
    plan = made.plan(study)
    for name, cell in plan.cells.items():
        plan.cells[name] = dataclasses.replace(cell, declared="2026-01-02T03:04:00+00:00")
    plan.write(study)
    write(study)
    before, after = said(study / "report").split("## Times")
    assert "declared before the first of the compared runs" in before
    assert "2026-01-02T03:04:00" not in before, "differs between identical trainings"
    assert "Declared: 2026-01-02T03:04:00+00:00." in after


@pytest.mark.full
def test_what_is_chosen_afterwards_is_said_to_be(study):
    made.plan(study)
    assert main([str(study), "--baseline", "valid", "--margin", "5"]) == 0
    text = said(study / "report")
    assert "the baseline and margin chosen afterwards" in text
    assert "(declared: baseline same, margin 0.3)" in text
    main([str(study), "--baseline", "same"])
    assert "afterwards" not in said(study / "report")


def test_balanced_accuracy_can_be_the_declared_metric(study, tmp_path):
    labels = np.repeat([0, 1], [300, 100])
    made.study(tmp_path / "uneven", ("same", "valid"), range(4), labels=labels)
    made.plan(tmp_path / "uneven", metric="balanced_accuracy")
    write(tmp_path / "uneven", tmp_path / "out")
    text = said(tmp_path / "out")
    assert "primary metric balanced\\_accuracy" in text
    assert "| balanced accuracy |" not in text, "described and not tested"
    even = np.array(
        [
            [made.outcomes(p, s)[labels == i].mean() for i in (0, 1)]
            for s in range(4)
            for p in ("valid", "same")
        ]
    ).mean(axis=1)
    (row,) = rows(tmp_path / "out" / "differences.csv")
    assert float(row["mean"]) == pytest.approx(100 * (even[::2] - even[1::2]).mean())
    shares = [float(row["balanced_accuracy"]) for row in rows(tmp_path / "out" / "runs.csv")]
    assert shares == pytest.approx([*even[1::2], *even[::2]])
    kept_pages.write(tmp_path / "out")
    assert said(tmp_path / "out") == text


def test_combinations_that_make_no_sense_are_listed(study):
    plan = made.plan(study)
    causal = NotApplicable("small_cnn", "causal", "placed_digits", "images have no order")
    plan.not_applicable.append(causal)
    plan.write(study)
    write(study)
    assert "- small\\_cnn, causal, placed\\_digits: images have no order" in said(study / "report")


def test_the_same_runs_are_the_same_bytes(study, tmp_path):
    write(study, tmp_path / "first")
    for file in study.glob("*/*/*.json"):
        file.touch()
    write(study, tmp_path / "second")
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == len(PICTURES) + len(SHEETS) + 2
    for name in names:
        first, second = (tmp_path / folder / name for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes(), name


@pytest.mark.full
def test_times_and_restarts_are_in_the_last_section_alone(tmp_path):
    """A sweep that was killed and went on reports what one that was not reports."""
    folders = tmp_path / "one" / "some", tmp_path / "two" / "some"
    later = made.START | {"time": "2027-07-07T07:07:07+00:00"}
    made.study(folders[0])
    made.study(folders[1], starts=[made.START, later])
    for path in folders[1].glob("*/*/results.json"):
        changed = json.loads(path.read_text()) | {"train_seconds": 7.7, "step_ms": 1.1}
        path.write_text(json.dumps(changed | {"images_per_second": 5.5, "setup_seconds": 3.3}))
    for folder in folders:
        write(folder)
    first, second = (said(folder / "report").split("## Times") for folder in folders)
    assert first[0] == second[0]
    assert first[1] != second[1]
    for name in {*SHEETS} - {"timings"}:
        contents = {(folder / "report" / f"{name}.csv").read_bytes() for folder in folders}
        assert len(contents) == 1, name


def test_an_empty_study_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path)])
    assert "holds no complete run" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "nowhere")])
    (tmp_path / "study.json").write_text("{")
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path)])
    assert "study.json cannot be read" in capsys.readouterr().err


def test_one_seed_is_reported_and_compares_nothing(tmp_path):
    write(made.study(tmp_path, seeds=(0,)))
    assert "valid: not compared, same has 1 of the 2 seeds" in said(tmp_path / "report")


def test_files_of_an_earlier_report_that_hold_nothing_now_are_gone(study):
    write(study)
    for name in ("accuracy-2.png", "mine.png"):
        (study / "report" / name).write_bytes(b"")
    for directory in study.glob("small_cnn-[rv]*"):
        directory.rename(study.parent / directory.name)
    write(study)
    left = {path.name for path in (study / "report").iterdir()}
    assert "mine.png" in left
    assert left.isdisjoint({"differences.csv", "accuracy-2.png"})


@pytest.mark.full
def test_of_very_many_families_the_first_are_drawn_and_the_picture_says_so(study, monkeypatch):
    made.run(study, model={"kernel_size": 4})
    made.run(study, model={"kernel_size": 5})
    monkeypatch.setattr(canvas, "MOST", 2)
    monkeypatch.setattr(canvas, "PANELS", 1)
    write(study)
    assert "; only the first 2 of 3 families](accuracy-2.png)" in said(study / "report")
    assert not (study / "report" / "accuracy-3.png").exists()


def test_runs_that_no_plan_asks_for_are_told_and_not_denied(study, capsys):
    made.plan(study)
    main([str(study)])
    assert "no sweep of this study planned" not in capsys.readouterr().out
    plan = json.loads((study / "study.json").read_text())
    name = next(name for name, cell in plan["cells"].items() if cell["padding"] == "same")
    del plan["cells"][name]
    (study / "study.json").write_text(json.dumps(plan))
    main([str(study)])
    said = capsys.readouterr().out
    assert (
        "6 complete runs that no sweep of this study planned: not compared; see the report" in said
    )
    assert "not compared, there is no run of same that differs only in the padding" in said


def test_what_is_counted_as_one_is_in_the_singular(tmp_path):
    study = made.study(tmp_path, ("same", "valid"), range(3), starts=[made.START | {"threads": 1}])
    made.plan(study, looks=[4, 6])
    found = write(study)
    (line,) = next_looks(found.study, found.compared, here=True)
    assert "(about 2 minutes, one run at a time)" in line
    made.study(study, ("same",), [3], starts=[made.START | {"threads": 1}])
    made.plan(study, looks=[4, 6])
    found = write(study)
    (line,) = next_looks(found.study, found.compared, here=True)
    assert "(about 1 minute, one run at a time)" in line
    text = (study / "report" / "report.md").read_text()
    assert ", 1 thread;" in text
    assert "(1 comparison, no look before 4 seeds)" in text


def test_n_says_how_many_seeds_the_verdict_is_about(tmp_path):
    study = made.study(tmp_path, ("same", "valid"), range(5))
    made.study(study, ("reflect",), range(3))
    made.plan(study, looks=[3, 9])
    found = write(study)
    text = (study / "report" / "report.md").read_text()
    for padding, n in (("same", "5, 3 in the verdict"), ("reflect", "3")):
        assert f"| small\\_cnn | placed\\_digits | {padding} | {n} |" in text
    lines = table(found.compared[0], found.declared)
    assert [line.split("  ")[0] for line in lines if line.startswith("reflect")]
    assert any(line.startswith("valid ") and " 5, 3 in the verdict " in line for line in lines)


def test_the_environment_says_of_which_cells(tmp_path):
    study = made.study(tmp_path, ("same",), range(2))
    write(study)
    text = (study / "report" / "report.md").read_text()
    assert "\n- a processor, 2 threads;" in text, "of all cells"
    made.study(study, ("valid",), range(2), starts=[made.START | {"source_hash": "other"}])
    made.run(study, "valid", 2)
    write(study)
    text = (study / "report" / "report.md").read_text()
    start = "- small\\_cnn on placed\\_digits, "
    assert f"\n{start}valid (seeds 0, 1): a processor, 2 threads;" in text
    assert f"\n{start}same; small\\_cnn on placed\\_digits, valid (seed 2): a processor" in text
