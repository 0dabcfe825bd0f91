"""What `make` installs for whom; nothing is run: make prints what it would do."""

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def installs(target, venv, *stamps):
    """The extras that a target would install, one install after the other."""
    for stamp in stamps:
        (venv / stamp).touch()
    command = ["make", "--dry-run", target, f"VENV={venv}", "PYTHON=python3"]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    for line in re.findall(r"-m pip install .*(?:\n.*)?--editable.*", ended.stdout):
        assert "--constraint constraints.txt" in line
    return re.findall(r"--editable '\.\[(.*?)\]'", ended.stdout)


@pytest.mark.parametrize(
    ("target", "extras"),
    [
        ("train", ["tensorflow,train"]),
        ("demo", ["tensorflow,train"]),
        ("install", ["tensorflow,train", "tensorflow,train,dev"]),
        ("check", ["tensorflow,train", "tensorflow,train,dev"]),
        ("test", ["tensorflow,train", "tensorflow,train,dev"]),
    ],
)
def test_a_fresh_environment_gets_what_the_target_needs(target, extras, tmp_path):
    assert installs(target, tmp_path) == extras


def test_a_later_target_adds_what_is_missing(tmp_path):
    there = (".made", ".installed-train")
    assert installs("train", tmp_path, *there) == []
    assert installs("test", tmp_path) == ["tensorflow,train,dev"]
    assert installs("test", tmp_path, ".installed-dev") == []
