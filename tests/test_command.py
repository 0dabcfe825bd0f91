"""The program in processes of its own: what it prints, and what a fresh start costs."""

import itertools
import re
import shlex
import subprocess
import sys
import tomllib

import pytest

from conf.commandline import ROOT
from tests.conftest import TINY
from tests.helpers import environment

CHECKOUT = ROOT.parent
HEAVY = {"keras", "tensorflow", "numpy", "matplotlib", "tensorflow_datasets", "tensorboard"}


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        env=environment(COMP_LINE="python train.py padding="),  # what bash sets on a Tab
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["-sc", "query=bash"]])
def test_a_question_loads_no_heavy_library(arguments):
    script = (
        f"import sys; sys.argv = ['train.py', *{arguments!r}]\n"
        "import train\n"
        "try: train.main()\n"
        f"finally: print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    assert "loaded: []" in python("-c", script).stdout


@pytest.mark.slow
def test_a_good_run_writes_nothing_to_stderr_from_data_made_to_model_saved(tmp_path):
    folders = (f"runs_dir={tmp_path / 'runs'}", f"data.data_dir={tmp_path / 'data'}")
    for _ in range(2):
        ended = python("train.py", *TINY, *folders)
        assert ended.stderr == ""
        assert "test accuracy" in ended.stdout


def make(*arguments: str) -> str:
    """What make says, or what it would run with --dry-run."""
    ended = subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=CHECKOUT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def chosen(target: str) -> tuple[str, str]:
    """What a target of the tests says before it starts, and the markers it chooses."""
    said, run = make("--dry-run", "--assume-old=install", target).split(" -m pytest ")
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["pytest"]
    words = [*settings["ini_options"]["addopts"], *shlex.split(run)]
    assert "--durations=10" in words
    return said, [after for word, after in itertools.pairwise(words) if word == "-m"][-1]


def test_make_test_says_what_it_does_and_leaves_the_full_grids_to_make_test_all():
    said, markers = chosen("test")
    assert "The quick tests, two at a time: about 10 minutes on two quiet cores" in said
    assert "make test-all runs the rest too" in said
    assert markers == "not full and not slow and not environment and not random"
    said, markers = chosen("test-all")
    assert "The quick tests and the full grids" in said
    assert markers == "not slow and not environment and not random"


def test_make_lists_the_minutes_and_ci_runs_them_all():
    (line,) = [line for line in make("help").splitlines() if line.startswith("test ")]
    assert "10 minutes" in line
    script = (CHECKOUT / ".ci" / "run").read_text()
    assert re.search(r"^make test-all ", script, re.MULTILINE)
    assert not re.search(r"^make test ", script, re.MULTILINE)
