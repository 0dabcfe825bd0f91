"""A sweep as a user runs it: what it plans, shares, resumes, leaves out and says."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.study import execution
from experiments.study.plan import Plan
from tests.conftest import TINY
from tests.helpers import environment

STUDY = Path("runs/default")
CHECKOUT = Path(__file__).resolve().parent.parent


def statuses(study=STUDY):
    return {
        str(file.parent.relative_to(study)): json.loads(file.read_text())["status"]
        for file in study.glob("*/seed=*/status.json")
    }


def starts(study=STUDY):
    return sum(len(json.loads(f.read_text())["starts"]) for f in study.glob("*/*/meta.json"))


def commands(study=STUDY):
    metas = [json.loads(file.read_text()) for file in study.glob("*/*/meta.json")]
    return [start["command"] for meta in metas for start in meta["starts"]]


@pytest.mark.full
def test_what_makes_no_sense_is_listed_and_what_is_the_same_runs_once(tiny):
    outcome = tiny("-m", "padding=same,causal,half", "seed=0")
    assert outcome.code == 0
    assert outcome.err == ""
    assert "1 run, 0 of them complete" in outcome.out
    assert "not applicable: small_cnn, causal, placed_digits: padding=causal does" in outcome.out
    assert list(statuses().values()) == ["COMPLETED"]
    plan = Plan.read(STUDY)
    (same, half) = plan.cells.values()
    assert (same.padding, same.alias_of) == ("same", None)
    assert half.padding == "half"
    assert half.alias_of == next(iter(plan.cells))
    assert [one.padding for one in plan.not_applicable] == ["causal"]
    assert not any(STUDY.glob("*causal*"))


def test_a_second_call_trains_nothing_and_a_larger_one_what_is_new(tiny, study):
    again = tiny("-m", "padding=same,valid", "seed=0")
    assert "2 runs, 2 of them complete" in again.out
    assert starts() == 2
    larger = tiny("-m", "padding=same,valid", "seed=0,1")
    assert "4 runs, 2 of them complete" in larger.out
    assert "[4 of 4 done, 0 running, 0 failed]" in larger.out
    assert starts() == 4
    plan = Plan.read(STUDY)
    assert [cell.seeds for cell in plan.cells.values()] == [[0, 1], [0, 1]]
    assert len(plan.commands) == 2
    assert {command.split()[-1] for command in commands()} == {"seed=0", "seed=0,1"}
    metas = [json.loads(file.read_text()) for file in STUDY.glob("*/*/meta.json")]
    begun = min(start["time"] for meta in metas for start in meta["starts"])
    for cell in plan.cells.values():
        assert cell.declared <= begun
        assert cell.declared_seeds == 2, "two is the first number that can be compared"


@pytest.mark.slow
def test_a_plan_keeps_what_earlier_sweeps_asked_for(tiny):
    tiny("-m", "padding=same", "seed=0")
    assert tiny("-m", "padding=same", "seed=1").code == 0
    (cell,) = Plan.read(STUDY).cells.values()
    assert cell.seeds == [0, 1]


@pytest.mark.slow
def test_an_aliases_seeds_run_in_the_first_cell(tiny):
    tiny("-m", "padding=same", "seed=0")
    tiny("-m", "padding=half", "seed=0,1")
    cells = Plan.read(STUDY).cells
    (same, _), (cell, alias) = cells, cells.values()
    assert sorted(statuses()) == [f"{same}/seed={s}" for s in (0, 1)]
    assert alias.alias_of == same
    assert cell.seeds == [0, 1]


@pytest.mark.full
def test_a_failed_run_is_told_at_the_end_and_tried_again_by_the_next_call(tiny):
    arguments = ["-m", "optimizer=sgd", "schedule=constant", "optimizer.learning_rate=1e30,0.01"]
    outcome = tiny(*arguments)
    assert outcome.code == 1
    assert sorted(statuses().values()) == ["COMPLETED", "FAILED"]
    assert "[1 of 2 done, 0 running, 1 failed]" in outcome.out
    assert "no result: " in outcome.err
    assert "DivergedError" in outcome.err.splitlines()[-1]
    assert starts() == 2
    assert tiny(*arguments).code == 1
    assert starts() == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["padding=same,valid", "trainer.epochs=2,0"], "trainer.epochs must be at least 1"),
        (["padding=same", "seed=0,x"], "seed must be a whole number"),
        (["padding=causal"], "does not fit"),
        (["sweep=dmo"], "did you mean demo"),
        (["--config-dir=nowhere"], "nowhere' not found"),
        (["--cfg=job"], "leave out -m"),
        (["--cfg=job", "sweep=demo"], "leave out -m"),
        (["--cfg=job", "backend=tensorflow,jax"], "leave out -m"),
        (["sweep=demo,a_a"], "sweep has one value for all runs of a command"),
        (["sweep=choice(demo,a_a)"], "sweep has one value for all runs of a command"),
        (["sweep=demo", "sweep=a_a"], "sweep=demo sweep=a_a: a command takes one preset"),
        (["sweep.margin=1,2"], "sweep.margin has one value for all runs of a command"),
        (["sweep.baseline=same,valid"], "sweep.baseline has one value for all runs"),
        (["rerun=true,false"], "rerun has one value for all runs of a command"),
        (["model.kernel_size=3,x"], "`kernel_size` of small_cnn must be int"),
    ],
)
def test_a_mistake_ends_a_sweep_before_its_first_run(program, arguments, message):
    outcome = program("-m", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert list(Path().iterdir()) == []


def test_a_preset_without_the_flag_is_refused(program):
    outcome = program("sweep=demo")
    assert outcome.code == 2
    assert "add -m" in outcome.err


def test_a_study_keeps_to_what_it_declared(tiny, study):
    outcome = tiny("-m", "padding=valid", "sweep.margin=2")
    assert outcome.code == 2
    assert "declared with another margin" in outcome.err


@pytest.mark.full
def test_a_sweep_waits_for_a_run_in_other_hands_and_takes_it_over(tiny, monkeypatch):
    """As when another sweep holds it and dies."""
    monkeypatch.setattr(execution, "POLL_SECONDS", 0.05)
    tiny("-m", "padding=same", "seed=0")
    cell = next(iter(Plan.read(STUDY).cells))
    (STUDY / cell / "seed=1").mkdir()
    lock = (STUDY / cell / "seed=1" / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    timer = threading.Timer(3, lock.close)
    timer.start()
    begun = time.monotonic()
    outcome = tiny("-m", "padding=same", "seed=0,1")
    assert outcome.code == 0
    assert "waiting for other processes, which are training the last 1 run" in outcome.out
    assert time.monotonic() - begun > 2
    assert set(statuses().values()) == {"COMPLETED"}


@pytest.mark.slow
def test_rerun_trains_complete_runs_again(tiny):
    tiny("-m", "padding=same", "seed=0,1")
    outcome = tiny("-m", "padding=same", "seed=0,1", "rerun=true")
    assert outcome.code == 0
    # Where the earlier results were made is told, and is no start of these.
    metas = [json.loads(file.read_text()) for file in STUDY.glob("*/*/meta.json")]
    assert [(len(meta["starts"]), len(meta["earlier"])) for meta in metas] == [(1, 1), (1, 1)]
    assert len(list(STUDY.glob("*/*/results-1.json"))) == 2


def call(folder, data_dir, *arguments):
    command = [sys.executable, str(CHECKOUT / "train.py"), *TINY, f"data.data_dir={data_dir}"]
    return subprocess.Popen(
        [*command, *arguments], cwd=folder, text=True, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
def test_two_sweeps_at_once_share_the_work(tmp_path, data_dir):
    sweeps = [call(tmp_path, data_dir, "-m", "padding=same,valid", "seed=range(4)") for _ in "ab"]
    said = [process.communicate(timeout=300) for process in sweeps]
    assert [process.returncode for process in sweeps] == [0, 0], said
    study = tmp_path / STUDY
    assert list(statuses(study).values()) == ["COMPLETED"] * 8
    assert starts(study) == 8


@pytest.mark.slow
def test_the_joblib_launcher_runs_them_at_once_on_cores_of_their_own(tmp_path, data_dir):
    process = call(
        tmp_path, data_dir, "-m", "padding=same,valid", "seed=range(2)",
        "hydra/launcher=joblib", "hydra.launcher.n_jobs=2",
    )  # fmt: skip
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "[4 of 4 done, 0 running, 0 failed]" in out
    study = tmp_path / STUDY
    found = [json.loads(f.read_text())["starts"] for f in study.glob("*/*/meta.json")]
    assert {len(each) for each in found} == {1}
    pids = {json.loads(f.read_text())["pid"] for f in study.glob("*/*/status.json")}
    assert len(pids) == 2
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert {each[0]["threads"] for each in found} == {share}
    # A run of the same study keeps to them, and pairs with its other runs.
    more = call(tmp_path, data_dir, "padding=half", "seed=0")
    out, err = more.communicate(timeout=300)
    assert more.returncode == 0, err
    assert f", {share} threads, float32" in out
    assert "not comparable" not in out
