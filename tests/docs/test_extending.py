"""docs/extending.md: what it shows is added to a copy of the checkout, and trains."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import environment, slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()
FILES = re.findall(
    r"^`([\w/]+\.\w+)`[^\n]*:\n\n```(?:python|yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]
COPIED = ("conf", "data", "docs", "experiments", "models", "tests")
NAMES = "skip_cnn or stripes or confidence or fade"
SHORT = ("trainer.epochs=1", "model.blocks=1", "model.width=4", "data.examples=64")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout with the files of the page."""
    folder = tmp_path_factory.mktemp("checkout")
    for part in COPIED:
        ignored = shutil.ignore_patterns("results", "__pycache__", "stored_runs")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for file in ("train.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / file, folder)
    for name, content in FILES:
        assert not (folder / name).exists()
        (folder / name).write_text(content)
    return folder


def call(checkout, *arguments):
    variables = {"PYTHONPATH": str(checkout), "CUDA_VISIBLE_DEVICES": "-1"}
    keras = {"KERAS_BACKEND": os.environ["KERAS_BACKEND"]} if "KERAS_BACKEND" in os.environ else {}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout, capture_output=True, text=True, env=environment(**variables, **keras),
    )  # fmt: skip


def test_each_addition_is_one_file_and_what_chooses_it():
    folders = [Path(name).parent.as_posix() for name, _ in FILES]
    assert folders == [
        *("models/architectures", "conf/model", "data/builders", "conf/data"),
        *("experiments/probes", "tests/experiments/probes"),
        *("models/padding/modes", "conf/padding"),
    ]


@pytest.mark.full
def test_what_is_added_passes_the_contract(checkout):
    ended = call(
        checkout, *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "", "-k", NAMES),
        "tests/contract", "tests/experiments/probes/test_confidence.py",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-3000:]
    passed = int(re.search(r"(\d+) passed", ended.stdout)[1])
    assert passed > 30  # a model under every padding, a data set, a probe with its known answer


@pytest.mark.full
@pytest.mark.parametrize(
    "command",
    [
        c if "probes=" in c or c == COMMANDS[0] else slow(c)
        for c in COMMANDS
        if c.startswith("python train.py")
    ],
)
def test_the_commands_train(checkout, data_dir, command):
    arguments = [*shlex.split(command)[1:], f"data.data_dir={data_dir}", *SHORT]
    ended = call(checkout, *arguments, "trainer.progress=false")
    assert ended.stderr == ""
    assert ended.returncode == 0
    assert "test accuracy" in ended.stdout
    if "probes=" in command:
        assert re.search(r"^confidence +mean 0\.\d+", ended.stdout, re.MULTILINE)


def test_every_command_of_the_page_is_run_here():
    others = [c for c in COMMANDS if not c.startswith("python train.py")]
    assert others == ['python -m pytest tests/contract -m "" -k skip_cnn']
    assert len(FILES) == sum(kind != "" for kind, _ in BLOCKS)


@pytest.mark.full
def test_the_readmes_tables_hold_what_is_added(checkout):
    code = "from docs import readme_tables as t; print(t.network('skip_cnn')); print(t.data_sets())"
    ended = call(checkout, "-c", code)
    assert "two convolutions beside a skip" in ended.stdout
    assert "| `stripes` | stripes along the rows" in ended.stdout


@pytest.mark.full
def test_an_edit_of_the_model_is_told_and_a_mistake_in_it_is_one_line(checkout, data_dir):
    command = ["train.py", "model=skip_cnn", f"data.data_dir={data_dir}", "study=edited", *SHORT]
    file = checkout / "models" / "architectures" / "skip_cnn.py"
    text = file.read_text()
    assert call(checkout, *command, "trainer.progress=false").returncode == 0
    try:
        file.write_text(text.replace('activation="relu"', 'activation="elu"'))
        ended = call(checkout, *command)
        assert ended.returncode == 0
        said = "models/architectures/skip_cnn.py (the model) has changed since this run was trained"
        assert f"{said}: rerun=true trains it anew" in ended.stdout.splitlines()
        file.write_text(text.replace("width: int = 16", "width=16"))
        ended = call(checkout, *command, "rerun=true")
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert "models/architectures/skip_cnn.py: option `width` of build needs" in ended.stderr
    finally:
        file.write_text(text)
