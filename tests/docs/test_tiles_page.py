"""docs/tiles.md: its code runs, and its command prints what the page says."""

import os
import re
import shlex
from pathlib import Path

from experiments.geometry import __main__ as geometry
from models.padding import MODES
from models.padding.definitions import PlaneRule, Statistic

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tiles.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_python_block_runs(capsys):
    (code,) = [block for kind, block in BLOCKS if kind == "python"]
    exec(code.replace("import padzoo", "import models as padzoo"), {})
    said = re.search(r"# (overlap=.*)$", code, re.MULTILINE)[1]
    assert said in capsys.readouterr().out


def test_the_command_prints_what_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))
    command, printed = [block for kind, block in BLOCKS if not kind]
    arguments = shlex.split(command)
    assert arguments[:3] == ["python", "-m", "experiments.geometry"]
    assert geometry.main(arguments[3:]) == 0
    assert printed in capsys.readouterr().out


def test_every_mode_is_said_to_have_a_halo_or_none():
    none = {name for name, mode in MODES.items()
            if mode.closes or isinstance(mode, (Statistic, PlaneRule))}  # fmt: skip
    table = PAGE.split("## What has none")[1].split("All other")[0]
    others = PAGE.split("All other")[1].split(";")[0]
    assert none == {name for name in MODES if f"`{name}`" in table}
    assert set(MODES) - none == {name for name in MODES if f"`{name}`" in others or name in others}


def test_the_pages_lead_here():
    for page in ("README.md", "docs/geometry.md", "docs/library.md"):
        assert "tiles.md" in (ROOT / page).read_text()
