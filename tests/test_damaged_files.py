"""What a damaged file of a run stops: itself, in one line that names it, and nothing else."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from experiments.report import writing
from tests.helpers import run_of

SWEEP = ("-m", "padding=same,valid", "seed=0")
DAMAGE = {"status.json": b'{"sta', "results.json": bytes(range(128, 256)), "meta.json": b"[1, 2]"}


@pytest.fixture
def same(study):
    return run_of(study, "same")


@pytest.mark.parametrize(("name", "content"), DAMAGE.items())
def test_a_damaged_file_is_one_line_that_names_it(tiny, study, same, name, content):
    (same / name).write_bytes(content)
    outcome = tiny("padding=same", "seed=0")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {same / name} cannot be read: ")
    assert outcome.err.count("\n") == 1
    assert "rerun=true trains the run again" in outcome.err
    assert (same / name).read_bytes() == content


@pytest.mark.full
def test_the_other_runs_of_a_sweep_go_on(tiny, study, same):
    name = "results.json"
    (same / name).write_bytes(b"")
    shutil.rmtree(run_of(study, "valid"))
    outcome = tiny(*SWEEP)
    assert outcome.code == 1
    assert "2 runs, 0 of them complete" in outcome.out
    assert outcome.err.startswith(f"error: no result: {same / name} cannot be read: ")
    assert outcome.err.count("\n") == 1
    assert json.loads((run_of(study, "valid") / "status.json").read_text())["status"] == "COMPLETED"
    assert f"{same.parent.name}, seed 0: {name} cannot be read" in outcome.out


@pytest.mark.full
def test_rerun_mends_them_all(tiny, same):
    for name, content in DAMAGE.items():
        (same / name).write_bytes(content)
    outcome = tiny("padding=same", "seed=0", "rerun=true")
    assert (outcome.code, outcome.err) == (0, "")
    assert "complete:" in tiny("padding=same", "seed=0").out


@pytest.mark.full
def test_rerun_mends_a_sweep(tiny, study, same):
    (same / "results.json").write_bytes(b"")
    outcome = tiny(*SWEEP, "rerun=true")
    assert (outcome.code, outcome.err) == (0, "")
    assert tiny(*SWEEP).code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b'{"model": 3}'),
        ("geometry.json", b"[3]"),
        ("findings.json", b"{}"),
        ("results.json", b'{"test_accuracy": 0.5}'),
    ],
)
def test_a_complete_run_that_cannot_be_shown_names_the_file(tiny, same, name, content):
    (same / name).write_bytes(content)
    outcome = tiny("padding=same", "seed=0")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {same / name} cannot be read: ")
    assert outcome.err.count("\n") == 1


def test_a_report_leaves_the_damaged_run_out_and_names_the_file(study, same, capsys):
    (same / "meta.json").write_bytes(b"[]")
    assert writing.main([str(study)]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert f"{same.parent.name}, seed 0: meta.json cannot be read: " in said.out
    assert "\nvalid " in said.out


def test_a_damaged_plan_is_one_line(tiny, study):
    (study / "study.json").write_bytes(b"[]")
    outcome = tiny(*SWEEP)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {study / 'study.json'} cannot be read: ")
    assert outcome.err.count("\n") == 1
    assert (study / "study.json").read_bytes() == b"[]"


def torn_inside(path, member, content):
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, content(part) if name == member else part)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.keras", lambda path: path.write_bytes(path.read_bytes()[:2000])),
        ("model.keras", lambda path: torn_inside(path, "model.weights.h5", lambda p: p[:3000])),
        ("model.keras", lambda path: torn_inside(path, "config.json", lambda p: b"{")),
        ("config.json", lambda path: path.write_text('{"model": 3}')),
        ("config.json", Path.unlink),
        ("data.json", lambda path: path.write_text('{"mean": 3}')),
    ],
)
def test_evaluate_names_the_damaged_file(program, same, name, damage):
    damage(same / name)
    outcome = program(f"evaluate={same}")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {same / name} cannot be read: ")
    assert outcome.err.count("\n") == 1
    assert not (same / "evaluations").exists()


@pytest.mark.parametrize("name", ["metadata.json", "features.json"])
def test_evaluate_names_the_damaged_data(program, same, data_dir, tmp_path, name):
    shutil.copytree(data_dir, tmp_path / "torn")
    (prepared,) = (tmp_path / "torn" / "placed_digits").iterdir()
    (prepared / name).write_text("{")
    outcome = program(f"evaluate={same}", f"data.data_dir={tmp_path / 'torn'}")
    assert outcome.code == 2
    assert f"placed_digits in {prepared} cannot be read: " in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("model.keras", "that is a file"),
        ("status.json", "that is a file"),
        ("status.json/more", "there is no such folder"),
        ("nowhere", "there is no such folder"),
        ("..", "it is not the folder of a run"),
    ],
)
def test_evaluate_says_what_is_no_finished_run(program, same, place, why):
    outcome = program(f"evaluate={same / place}")
    assert outcome.code == 2
    assert f"is not a finished run ({why}): it must be the directory" in outcome.err
    assert outcome.err.count("\n") == 1


def test_evaluate_says_how_far_a_run_is(program, same):
    (same / "status.json").write_text('{"status": "INTERRUPTED"}')
    assert "(its status is INTERRUPTED)" in program(f"evaluate={same}").err
    (same / "status.json").write_text('{"status": "COMPLETED"}')
    (same / "model.keras").unlink()
    assert "(its model.keras is missing)" in program(f"evaluate={same}").err


def test_a_damaged_earlier_evaluation_is_written_anew(program, same):
    program(f"evaluate={same}")
    (file,) = same.glob("evaluations/*.json")
    content = file.read_bytes()
    file.write_bytes(content[:20])
    outcome = program(f"evaluate={same}")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"{file} cannot be read: " in outcome.out
    assert file.read_bytes() == content
