import pytest
from matplotlib.image import imread

from experiments.report import overview
from experiments.report import writing as report
from experiments.report.pages.pictures import canvas, plots
from experiments.run.record import files
from tests import made


@pytest.fixture
def study(tmp_path):
    return made.study(tmp_path, ("same", "reflect"), (0, 1))


def collected(study):
    """title -> cell -> accuracies in per cent."""
    return {
        family.title: {
            name: [record.points() for record in cell.records.values()]
            for name, cell in family.cells.items()
        }
        for family in overview.collect(study)
    }


def test_only_complete_runs_are_collected(study):
    (directory,) = study.glob("*-same-*/seed=1")
    files.write_json(directory / "status.json", {"status": "RUNNING"})
    expected = {
        padding: [100 * made.outcomes(padding, seed).mean() for seed in seeds]
        for padding, seeds in (("reflect", (0, 1)), ("same", (0,)))
    }
    assert collected(study) == {"small_cnn on placed_digits": expected}


def test_a_run_that_cannot_be_read_is_left_out(study):
    for seed, name in enumerate(("config.json", "results.json")):
        (path,) = study.glob(f"*-same-*/seed={seed}/{name}")
        path.write_text('{"of": "another version"}')
    assert list(collected(study)["small_cnn on placed_digits"]) == ["reflect"]


def test_it_draws_also_what_the_plan_does_not_ask_for(study):
    made.plan(study)
    made.run(study, "valid")
    assert "valid" in collected(study)["small_cnn on placed_digits"]


def test_back_ends_are_told_apart(study):
    made.run(study, backend="jax")
    assert {title: list(cells) for title, cells in collected(study).items()} == {
        "small_cnn, tensorflow on placed_digits": ["reflect", "same"],
        "small_cnn, jax on placed_digits": ["same"],
    }


def test_it_is_written_as_a_file_and_once_for_tensorboard(study):
    overview.write(study)
    assert overview.write(study) == study / "accuracy.png"
    assert imread(study / "accuracy.png").std() > 0.05
    assert len(list((study / "_summary").glob("events*"))) == 1


def test_it_leaves_the_reports_summary_alone_and_the_report_replaces_it(study):
    report.write(study)
    (kept,) = (study / "_summary").glob("events*")
    overview.write(study)
    assert kept.exists()
    assert len(list((study / "_summary").glob("events*"))) == 2
    report.write(study)
    assert len(list((study / "_summary").glob("events*"))) == 1


def drawn(monkeypatch):
    """What is given to the picture of accuracies from here on: title -> cells, by call."""
    calls, real = [], plots.accuracy

    def accuracy(found, *rest):
        calls.append({family.title: list(family.cells) for family in found})
        return real(found, *rest)

    monkeypatch.setattr(plots, "accuracy", accuracy)
    return calls


def test_it_holds_every_complete_run_after_a_report_too(study, monkeypatch):
    made.plan(study)
    report.write(study)
    assert (study / "accuracy.png").read_bytes() == (study / "report/accuracy.png").read_bytes()
    made.run(study, "valid")
    made.run(study, model={"kernel_size": 4})
    calls = drawn(monkeypatch)
    report.write(study)
    assert calls == [
        {"small_cnn on placed_digits": ["reflect", "same"]},
        {
            "small_cnn, kernel_size 3 on placed_digits": ["reflect", "same", "valid"],
            "small_cnn, kernel_size 4 on placed_digits": ["same"],
        },
    ]
    assert (study / "accuracy.png").read_bytes() != (study / "report/accuracy.png").read_bytes()
    events = [path.name.endswith(overview.SUFFIX) for path in (study / "_summary").glob("events*")]
    assert sorted(events) == [False, True]


def test_of_very_many_families_it_says_how_many_are_drawn(tmp_path, monkeypatch, capsys):
    for i in range(4):
        made.run(tmp_path, model={"kernel_size": 2 + i})
    calls = drawn(monkeypatch)
    monkeypatch.setattr(canvas, "PANELS", 1)
    overview.write(tmp_path)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(canvas, "MOST", 3)
    overview.write(tmp_path)
    assert capsys.readouterr().out == "only the first 3 of 4 families are drawn\n"
    assert [len(call) for call in calls] == [4, 3]


def test_an_empty_study_has_no_picture(tmp_path):
    assert overview.write(tmp_path) is None
    assert not (tmp_path / "_summary").exists()
