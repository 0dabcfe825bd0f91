"""A sweep killed at ten random moments ends in the same report; its memory does not grow."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conf.commandline import ROOT
from tests.conftest import TINY
from tests.helpers import environment

pytestmark = pytest.mark.slow
KILLS = 10
SWEEP = ("-m", "padding=same,valid,half,causal", "seed=range(2)", "trainer.epochs=8")
TIMED = ("timings.csv", "cost.png", "report.html")  # holds seconds, or pictures of them


def start(folder: Path, data_dir: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT.parent / "train.py"), *TINY, f"data.data_dir={data_dir}"]
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [*command, *SWEEP, *more], cwd=folder, text=True, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def report(folder: Path) -> dict[str, bytes]:
    """The report's files but for what holds times."""
    found = {}
    for file in sorted((folder / "runs/default/report").iterdir()):
        if file.name not in TIMED:
            content = file.read_bytes()
            found[file.name] = content.split(b"## Times")[0] if file.suffix == ".md" else content
    return found


@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_killed_sweep_ends_in_the_same_report(tmp_path, data_dir, launcher):
    more = (f"hydra/launcher={launcher}",)
    alone = start(tmp_path / "alone", data_dir, *more)
    begun = time.monotonic()
    assert alone.wait(timeout=900) == 0, alone.stdout.read()
    whole = time.monotonic() - begun
    random.seed(launcher)
    moments, interrupted = [], 0
    for _ in range(KILLS):
        sweep = start(tmp_path / "killed", data_dir, *more)
        moments.append(random.uniform(0.05, 0.6) * whole)
        try:
            sweep.wait(timeout=moments[-1])
        except subprocess.TimeoutExpired:
            interrupted += 1
            os.killpg(sweep.pid, signal.SIGKILL)
            sweep.wait()
    last = start(tmp_path / "killed", data_dir, *more)
    assert last.wait(timeout=900) == 0, last.stdout.read()
    assert interrupted >= 3, f"the sweep was over too soon to be killed: {moments}"
    expected, found = report(tmp_path / "alone"), report(tmp_path / "killed")
    assert list(found) == list(expected)
    assert {"report.md", "runs.csv", "differences.csv", "accuracy.png"} <= set(found)
    for name, content in expected.items():
        assert found[name] == content, f"{name} differs after kills at {moments}"


def test_memory_does_not_grow_over_a_hundred_runs(tmp_path, data_dir):
    """In one process: megabytes resident after each run."""
    sweep = start(
        tmp_path / "many", data_dir, "padding=same,reflect", "seed=range(50)", "trainer.epochs=1"
    )
    resident = []
    for line in sweep.stdout:
        if " of 100 done" in line:
            status = Path(f"/proc/{sweep.pid}/status").read_text()
            resident.append(int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024)
    assert sweep.wait(timeout=60) == 0
    print("MB after every tenth run:", [round(size) for size in resident[9::10]])
    assert len(resident) == 100
    assert max(resident[90:]) - max(resident[10:20]) < 40
