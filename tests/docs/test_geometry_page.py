"""docs/geometry.md: its code and commands run, and its tables name what there is."""

import os
import re
import shlex
from pathlib import Path

import pytest

from experiments.geometry import __main__ as geometry
from experiments.geometry.geometry_table import COLUMNS
from models.geometry.findings.lint import RULES, RULES_OF_AXES, RULES_OF_LAYERS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "geometry.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]


def column(section):
    """The names in the first column of a section's table."""
    part = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [name.strip("` ") for row in rows for name in row.split("|")[1].split(",")]


def test_every_finding_is_explained():
    rules = {rule.__name__ for rule in (*RULES, *RULES_OF_AXES, *RULES_OF_LAYERS)}
    assert set(column("The findings")) == rules


def test_every_column_is_explained():
    assert column("The table") == list(COLUMNS)


def test_the_python_block_runs():
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    exec(code, {})


@pytest.mark.full
@pytest.mark.parametrize("command", [c for c in COMMANDS if "my.keras" not in c])
def test_the_commands_run(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))
    arguments = shlex.split(command)
    assert arguments[:3] == ["python", "-m", "experiments.geometry"]
    small = ["model.width=0.1"] if "model=vgg16" in command else []
    assert geometry.main([*arguments[3:], *small]) == 0
    assert capsys.readouterr().err == ""


def test_the_readme_says_the_same():
    readme = (ROOT / "README.md").read_text()
    section = readme.split("## Before training\n")[1].split("\n## ")[0]
    commands = re.findall(r"^python -m experiments\.geometry (.*?)(?:\s{2,}#.*)?$", section, re.M)
    assert len(commands) == 2
    assert "docs/geometry.md" in section
    for picture in re.findall(r"\((docs/pictures/[^)]*)\)", section):
        assert (ROOT / picture).stat().st_size < 100_000
