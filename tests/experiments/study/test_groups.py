"""Seeds of a cell that a sweep trains at once: how they are grouped, and what each leaves."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from experiments.run.record.directory import Run
from experiments.study import groups
from experiments.study.jobs import Job
from tests.conftest import TINY
from tests.helpers import environment

ON_JAX = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is about JAX")
SCANNED = ("-m", "backend=jax", "trainer.engine=scan", "padding=same")
CHECKOUT = Path(__file__).resolve().parents[3]


def job(cell, seed, at_once=1, **more):
    return Job(
        Run(Path("runs") / cell / f"seed={seed}"), [cell, f"seed={seed}"], **more, at_once=at_once
    )


@pytest.mark.parametrize(
    ("at_once", "expected"),
    [
        (1, [["a0"], ["b0"], ["a1"], ["b1"], ["a2"]]),
        (2, [["a0", "a1"], ["b0", "b1"], ["a2"]]),
        (8, [["a0", "a1", "a2"], ["b0", "b1"]]),
    ],
)
def test_seeds_of_a_cell_are_grouped_and_their_order_kept(tmp_path, at_once, expected):
    names = ("a0", "b0", "a1", "b1", "a2")
    found = groups.of(job(name[0], name[1], at_once) for name in names)
    assert [
        ["".join(j.overrides).replace("seed=", "") for j in group] for group in found
    ] == expected
    groups.write(tmp_path, found)
    for group in found:
        assert groups.seeds(tmp_path, group[0].run) == [
            int(j.run.directory.name[5:]) for j in group
        ]
    assert groups.seeds(tmp_path, job("c", 7).run) == [7]


def test_a_run_has_its_overrides_with_its_seed():
    assert groups.with_seed(["padding=same", "seed=0", "model.depth=1"], 3) == (
        *("padding=same", "model.depth=1"),
        "seed=3",
    )


def test_a_command_has_one_number_of_seeds_at_once(program):
    outcome = program(*SCANNED, "trainer.seeds_at_once=1,2")
    assert outcome.code == 2
    assert "trainer.seeds_at_once has one value for all runs of a command" in outcome.err


@pytest.mark.parametrize("seeds", [0, -1, "many"])
def test_a_number_that_makes_no_sense_ends_the_sweep_before_its_first_run(program, seeds):
    outcome = program(*SCANNED, f"trainer.seeds_at_once={seeds}")
    assert outcome.code == 2
    assert outcome.err == (
        f"error: trainer.seeds_at_once must be auto or between 1 and 1024; got {seeds!r}\n"
    )
    assert list(Path().iterdir()) == []


def test_keras_own_loop_trains_no_seeds_at_once(program):
    outcome = program(*SCANNED, "trainer.engine=fit", "trainer.seeds_at_once=2")
    assert outcome.code == 2
    assert "trainer.seeds_at_once=2 needs trainer.engine=scan" in outcome.err
    assert list(Path().iterdir()) == []


def runs(study="default"):
    return {int(d.name[5:]): d for d in Path("runs", study).glob("*/seed=*")}


def rows(run):
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def told(run, name):
    return json.loads((run / name).read_text())


@ON_JAX
def test_each_seed_leaves_what_it_leaves_alone_and_one_that_fails_fails_alone(tiny, monkeypatch):
    from experiments.run.evaluation.diverged import DivergedError
    from experiments.run.loop import checkpoint

    alone = tiny(*SCANNED, "seed=0,3", "study=alone")
    assert alone.code == 0
    assert tiny(*SCANNED, "seed=1", "trainer.seeds_at_once=8").code == 0  # complete beforehand
    save = checkpoint.save

    def diverges(path, *arguments):
        if path.parent.name == "seed=2":
            raise DivergedError("made to")
        save(path, *arguments)

    monkeypatch.setattr(checkpoint, "save", diverges)
    outcome = tiny(*SCANNED, "seed=range(4)", "trainer.seeds_at_once=8")
    assert outcome.code == 1
    assert "4 runs, 1 of them complete\nengine scan, 8 seeds at once\n" in outcome.out
    assert "seed 0: " in outcome.out
    assert "seed 3: " in outcome.out
    assert "seed 2: failed in " in outcome.out
    assert "[3 of 4 done, 0 running, 1 failed]" in outcome.out
    assert "error: failed: DivergedError: made to" in outcome.err
    assert {seed: told(run, "status.json")["status"] for seed, run in runs().items()} == {
        0: "COMPLETED",
        1: "COMPLETED",
        2: "FAILED",
        3: "COMPLETED",
    }
    for seed, own in runs("alone").items():
        together = runs()[seed]
        assert kinds(together) == kinds(own)
        (start,), (other,) = (told(r, "meta.json")["starts"] for r in (together, own))
        assert (start["seeds_at_once"], other["seeds_at_once"]) == (8, 1)
        assert start["seeds"] == other["seeds"]
        for row, expected in zip(rows(together), rows(own), strict=True):
            assert row.keys() == expected.keys()
            for name in ("step", "loss", "accuracy", "validation_loss", "learning_rate"):
                assert float(row[name]) == pytest.approx(float(expected[name]), rel=1e-3), name
        results = [told(r, "results.json") for r in (together, own)]
        assert results[0].keys() == results[1].keys()
    # What was asked is what pairs: the group of a run may have had fewer seeds.
    assert told(runs()[1], "meta.json")["starts"][0]["seeds_at_once"] == 8
    # The same command trains what is missing, alone.
    monkeypatch.setattr(checkpoint, "save", save)
    again = tiny(*SCANNED, "seed=range(4)", "trainer.seeds_at_once=8")
    assert again.code == 0
    assert "[4 of 4 done, 0 running, 0 failed]" in again.out


def kinds(run):
    """The files of a run; the name of an event file has its time."""
    return sorted(
        "events" if "tfevents" in f.name else str(f.relative_to(run)) for f in run.rglob("*")
    )


@ON_JAX
@pytest.mark.full
def test_random_borders_are_trained_one_after_the_other_and_it_is_said(tiny):
    arguments = [*SCANNED[:-1], "padding=random", "seed=0,1", "trainer.seeds_at_once=2"]
    outcome = tiny(*arguments)
    assert outcome.code == 0
    assert "one seed after the other, because the seed of a random border is" in outcome.out
    assert {run.name for run in runs().values()} == {"seed=0", "seed=1"}


@ON_JAX
@pytest.mark.slow
def test_an_interrupt_ends_all_seeds_and_the_same_command_goes_on(tmp_path, data_dir):
    command = [
        *(sys.executable, str(CHECKOUT / "train.py"), *TINY, f"data.data_dir={data_dir}"),
        *(*SCANNED, "trainer.epochs=60", "seed=range(3)", "trainer.seeds_at_once=3"),
    ]
    process = subprocess.Popen(
        command, cwd=tmp_path, text=True, env=environment(), stderr=subprocess.PIPE
    )
    study = tmp_path / "runs/default"
    while len(list(study.glob("*/*/checkpoint.npz"))) < 3:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == ("error: interrupted; the same command resumes after the last finished epoch\n")
    states = [told(file.parent, "status.json")["status"] for file in study.glob("*/*/status.json")]
    assert states == ["INTERRUPTED"] * 3
    for run in study.glob("*/seed=*"):
        Run(run).check_free()
    assert subprocess.run(command, cwd=tmp_path, env=environment()).returncode == 0
    for run in study.glob("*/seed=*"):
        assert told(run, "status.json")["status"] == "COMPLETED"
        assert [int(row["epoch"]) for row in rows(run)] == list(range(1, 61))
        assert len(told(run, "meta.json")["starts"]) == 2
