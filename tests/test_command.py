"""The program in processes of its own: what it prints, and what a fresh start costs."""

import subprocess
import sys

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
