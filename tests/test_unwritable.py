"""What the system refuses outside a training: one line and exit code 2; what is there is shown."""

import contextlib
import shutil
from pathlib import Path

import pytest

from experiments.report import writing
from experiments.run.record.directory import Run, RunFailed
from tests.helpers import full_disk, run_of, unwritable

PLAIN = ("padding=same", "seed=0")
SWEEP = ("-m", "padding=same,valid", "seed=0")


def a_file(place):
    place.write_text("no folder")


def a_dangling_link(place):
    place.symlink_to("nowhere")


def a_circle_of_links(place):
    place.symlink_to(place)


@pytest.mark.parametrize("arguments", [PLAIN, SWEEP], ids=["one run", "a sweep"])
@pytest.mark.parametrize("made", [a_file, a_dangling_link, a_circle_of_links])
def test_a_runs_dir_that_is_no_folder_is_refused_before_anything_starts(tiny, made, arguments):
    made(Path("runs"))
    outcome = tiny(*arguments)
    assert outcome.code == 2
    assert outcome.err.startswith("error: runs")
    assert "cannot be read or written: " in outcome.err
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


@pytest.mark.parametrize("arguments", [PLAIN, SWEEP], ids=["one run", "a sweep"])
def test_so_is_one_that_cannot_be_written(tiny, arguments):
    Path("runs").mkdir()
    with unwritable(Path("runs")):
        outcome = tiny(*arguments)
    assert outcome.code == 2
    assert outcome.err == "error: runs cannot be read or written: Permission denied\n"
    assert outcome.out == ""


def test_a_complete_run_that_cannot_be_written_is_shown(tiny, study):
    with unwritable(study):
        outcome = tiny(*PLAIN)
    assert (outcome.code, outcome.err) == (0, "")
    assert "test accuracy" in outcome.out
    assert "no picture of all runs: " in outcome.out


def test_its_study_is_reported_elsewhere(study, capsys):
    before = sorted(study.rglob("*"))
    with unwritable(study):
        assert writing.main([str(study), "--out", "elsewhere"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert f"nothing is added to the study itself: {study / 'accuracy.png'}" in said.out
    assert Path("elsewhere", "report.html").is_file()
    assert sorted(study.rglob("*")) == before


def test_it_is_measured_again_though_that_cannot_be_kept(program, study):
    run = run_of(study, "same")
    with unwritable(run):
        outcome = program(f"evaluate={run}")
    assert outcome.code == 2
    assert "test accuracy on placed_digits: " in outcome.out
    assert outcome.err.startswith(f"error: {run / 'evaluations'}/placed_digits-")
    assert outcome.err.count("\n") == 1


def test_it_is_not_probed(tiny, study):
    run = run_of(study, "same")
    with unwritable(run):
        outcome = tiny(*PLAIN, "probes=shift")
    assert outcome.code == 2
    assert outcome.err == f"error: {run} cannot be read or written: Permission denied\n"


def test_a_full_disk_before_the_training_is_one_line(tiny, study):
    shutil.rmtree(study)
    with full_disk():
        outcome = tiny(*PLAIN)
    assert outcome.code == 2
    assert outcome.err.startswith("error: runs/default/")
    assert outcome.err.endswith("/config.json cannot be read or written: File too large\n")
    assert outcome.err.count("\n") == 1


@pytest.mark.full
def test_a_full_disk_while_training_is_one_line(tiny, monkeypatch):
    original = Run.write_metrics

    def fills_up(self, history):
        with full_disk():
            original(self, history)

    monkeypatch.setattr(Run, "write_metrics", fills_up)
    outcome = tiny(*PLAIN)
    assert outcome.code == 1
    assert "metrics.csv" in outcome.err
    assert "the traceback is in" in outcome.err
    assert outcome.err.count("\n") == 1


def fails(run):
    """A run whose disk fills up, so that not even its status can be written."""
    with contextlib.ExitStack() as later, run.claim({}, {}, rerun=False):
        later.enter_context(full_disk())
        run.write_metrics([{"epoch": 1}])


def is_interrupted(run):
    """The same, ended by Ctrl-C."""
    with contextlib.ExitStack() as later, run.claim({}, {}, rerun=False):
        later.enter_context(full_disk())
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("end", "raised", "told"),
    [
        (fails, RunFailed, "cannot be written either (File too large)"),
        (is_interrupted, KeyboardInterrupt, ""),
    ],
)
def test_a_disk_without_room_for_the_status_hides_no_end(tmp_path, end, raised, told):
    run = Run(tmp_path / "seed=0")
    with pytest.raises(raised) as caught:
        end(run)
    assert str(caught.value).endswith(told)
    assert run.status == "RUNNING"  # of a process that is gone: the next call goes on with it
