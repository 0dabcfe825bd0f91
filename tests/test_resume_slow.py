"""A run killed at ten random moments ends with the numbers of a run left alone."""

import json
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from conf.commandline import ROOT

pytestmark = pytest.mark.slow
CHECKOUT = ROOT.parent
RUN = (
    "model.dropout=0.3",
    "model.widths=[8,8,8]",
    "data.examples=1500",
    "data.augment.crop=2",
    "data.augment.flip=true",
    "data.augment.cutout=4",
    "trainer.epochs=40",
    "schedule=one_cycle",
)
TIMINGS = ("images_per_second", "step_ms", "train_seconds", "time")
# Ends the process between the checkpoint's write and the metrics' write of an epoch: the first
# call is the replay at the resume.
BETWEEN = """
import os, signal, sys
sys.path.insert(0, {checkout!r})
from experiments.run.record.directory import Run
def die(self, history):
    calls.append(len(history))
    if len(calls) == 2: os.kill(os.getpid(), signal.SIGKILL)
    original(self, history)
original, calls = Run.write_metrics, []
Run.write_metrics = die
import train
sys.argv[0] = "train.py"
sys.exit(train.main())
"""


def command(folder: Path, data_dir: str, *, between: bool = False) -> list[str]:
    script = ["-c", BETWEEN.format(checkout=str(CHECKOUT))] if between else ["train.py"]
    return [sys.executable, *script, f"runs_dir={folder}", f"data.data_dir={data_dir}", *RUN]


def run(arguments: list[str], *, check: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=CHECKOUT, check=check, capture_output=True, text=True)


def epochs_done(folder: Path) -> int:
    return sum(max(0, len(p.read_text().splitlines()) - 1) for p in folder.rglob("metrics.csv"))


def left_behind(folder: Path) -> tuple[dict, dict, dict]:
    """Predictions, weights and the metrics that are not timings."""
    (results,) = folder.glob("*/*/seed=0/results.json")
    directory = results.parent
    with np.load(directory / "predictions.npz", allow_pickle=False) as file:
        predictions = {name: file[name] for name in file.files}
    with zipfile.ZipFile(directory / "model.keras") as archive:
        weights = {"weights": archive.read("model.weights.h5")}
    lines = [line.split(",") for line in (directory / "metrics.csv").read_text().splitlines()]
    kept = [i for i, name in enumerate(lines[0]) if name not in TIMINGS]
    return predictions, weights, {"rows": [[line[i] for i in kept] for line in lines]}


def test_ten_kills(tmp_path, data_dir):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    run(command(whole, data_dir), check=True)
    (results,) = whole.rglob("results.json")
    epoch_seconds = json.loads(results.read_text())["train_seconds"] / 40

    # Eight at random: while starting, or some epochs later and somewhere within the next.
    chance = random.Random(0)
    moments = []
    for number in [signal.SIGKILL] * 5 + [signal.SIGTERM, signal.SIGINT, signal.SIGKILL]:
        process = subprocess.Popen(
            command(killed, data_dir),
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        target = epochs_done(killed) + chance.choice((0, 1, 2, 2))
        while epochs_done(killed) < target:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.02)
        time.sleep(chance.uniform(0, epoch_seconds))
        process.send_signal(number)
        code = process.wait()
        moments.append((number.name, epochs_done(killed), code))
        assert code != 0, f"the run ended all the same: {moments}"
    for _ in range(2):
        ended = run(command(killed, data_dir, between=True))
        assert ended.returncode == -signal.SIGKILL
        moments.append(("between checkpoint and metrics", epochs_done(killed)))
    print(f"killed, and epochs in metrics.csv: {moments}")
    assert 0 < epochs_done(killed) < 40
    run(command(killed, data_dir), check=True)

    (meta,) = killed.rglob("meta.json")
    assert len(json.loads(meta.read_text())["starts"]) >= 5
    for expected, found in zip(left_behind(whole), left_behind(killed), strict=True):
        assert expected.keys() == found.keys()
        for name in expected:
            assert np.array_equal(expected[name], found[name]), name


def test_of_two_processes_one_trains_and_the_other_says_so(tmp_path, data_dir):
    pair = [
        subprocess.Popen(
            command(tmp_path, data_dir),
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate() for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert sum("test accuracy" in out for out, _ in said) == 1
    assert sum("is being trained by another process" in out for out, _ in said) == 1
