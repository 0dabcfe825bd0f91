"""A sweep over back ends: how it is split, and the processes it runs in."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conf import device
from conf.commandline import ROOT
from conf.reader import ConfigError
from experiments.report import overview
from experiments.study import backends
from tests.conftest import TINY
from tests.helpers import environment

CHECKOUT = ROOT.parent
needs_both = pytest.mark.skipif(
    not (device.installed("jax") and device.installed("tensorflow")), reason="needs both back ends"
)


@pytest.fixture
def both(monkeypatch):
    monkeypatch.setattr(device, "installed", lambda module: True)


@pytest.mark.parametrize(
    "sweep",
    [
        "backend=tensorflow,jax",
        "backend=choice(tensorflow,jax)",
        "++backend='tensorflow','jax'",
        "backend=auto,tensorflow,jax",
    ],
)
@pytest.mark.parametrize("many", ["-m", "hydra.mode=MULTIRUN"])
def test_each_back_end_gets_the_rest_of_the_command(both, sweep, many):
    assert backends.split([many, "seed=0,1", sweep, "padding=same"]) == {
        name: [many, "seed=0,1", "padding=same", f"backend={name}"]
        for name in ("tensorflow", "jax")
    }


def test_one_back_end_by_two_names_is_one(both):
    found = backends.split(["-m", "backend=auto,tensorflow"])
    assert found == {"tensorflow": ["-m", "backend=tensorflow"]}


@pytest.mark.parametrize(
    "arguments", [["-m", "seed=0,1"], ["-m", "backend=jax", "seed=0,1"], ["backend=tensorflow,jax"]]
)
def test_nothing_is_split_without_a_sweep_over_back_ends(both, arguments):
    assert backends.split(arguments) == {}


def test_an_unknown_or_missing_back_end_is_refused_before_anything_runs(monkeypatch):
    with pytest.raises(ConfigError, match="unknown backend 'jaxx': did you mean jax"):
        backends.split(["-m", "backend=tensorflow,jaxx"])
    with pytest.raises(ConfigError, match="did you mean reflect"):
        backends.split(["backend=tensorflow,jax", "padding=refelct"])
    monkeypatch.setattr(device, "installed", lambda module: module != "jax")
    with pytest.raises(
        ConfigError, match=r"jax is not installed.*\[train,jax\]'.*use backend=tens"
    ):
        backends.split(["-m", "backend=tensorflow,jax"])


@pytest.mark.parametrize(
    ("codes", "worst", "ran"), [((0, 0), 0, 2), ((1, 0), 1, 2), ((0, 2), 2, 2), ((130, 0), 130, 1)]
)
def test_the_worst_exit_code_counts_and_an_interrupt_ends_it_all(monkeypatch, codes, worst, ran):
    called = []
    left = iter(codes)
    monkeypatch.setattr(backends, "_run", lambda arguments: called.append(arguments) or next(left))
    assert backends.run_each({"tensorflow": ["a"], "jax": ["b"]}) == worst
    assert called == [["a"], ["b"]][:ran]


def test_a_sweep_over_one_back_end_by_two_names_is_one_run(program, both):
    outcome = program("-m", "backend=auto,tensorflow", "seed=-1")
    assert outcome.code == 2
    assert outcome.err.count("seed must be between") == 1
    assert "[backend" not in outcome.out


def sweep(data_dir, *arguments):
    """A sweep in a process of its own, in the current folder."""
    command = [sys.executable, str(CHECKOUT / "train.py"), "-m", *TINY, f"data.data_dir={data_dir}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Under nohup it would ignore the signal that a test sends it.
    heeding = functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
    return subprocess.Popen([*command, *arguments], env=environment(), preexec_fn=heeding, **pipes)


@needs_both
@pytest.mark.full
def test_both_back_ends_train_from_one_command(tmp_path, monkeypatch, data_dir):
    monkeypatch.chdir(tmp_path)
    out, err = (running := sweep(data_dir, "backend=tensorflow,jax", "seed=4")).communicate()
    assert (running.returncode, err) == (0, "")
    assert out.index("[backend tensorflow, 1 of 2]") < out.index("[backend jax, 2 of 2]")
    starts = [json.loads(p.read_text())["starts"] for p in Path("runs").rglob("meta.json")]
    assert sorted(start["backend"] for (start,) in starts) == ["jax", "tensorflow"]
    families = overview.collect(Path("runs/default"))
    assert {family.title for family in families} == {
        "small_cnn, tensorflow on placed_digits", "small_cnn, jax on placed_digits"
    }  # fmt: skip


@needs_both
@pytest.mark.full
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)]
)
def test_an_interrupt_reaches_the_run_and_no_other_starts(tmp_path, monkeypatch, data_dir, number):
    monkeypatch.chdir(tmp_path)
    running = sweep(data_dir, "backend=tensorflow,jax", "trainer.epochs=5000")
    while not list(Path("runs").rglob("metrics.csv")):
        assert running.poll() is None
        time.sleep(0.05)
    os.kill(running.pid, number)
    _, err = running.communicate()
    assert running.returncode == 130
    assert err.count("\n") == 1
    assert "the same command resumes" in err
    (status,) = Path("runs").rglob("status.json")
    assert json.loads(status.read_text())["status"] == "INTERRUPTED"
