"""docs/padding.md: its code runs, and its tables are what `supports` says."""

import itertools
import re
from pathlib import Path

import pytest

from docs import __main__ as written
from docs.padding_table import BEGIN, END, amounts, parts, tables, updated
from models.padding import AMOUNTS, MODES
from models.padding.supports import LAYER_RANK, supports
from tests.helpers import slow

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "padding.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if not kind for line in block.splitlines()]


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--halp", 2)])
def test_help_and_a_mistake_write_nothing(argument, code, monkeypatch, capsys):
    monkeypatch.setattr(written.readme_tables, "main", pytest.fail)
    with pytest.raises(SystemExit) as ended:
        written.main([argument])
    assert ended.value.code == code
    printed = "".join(capsys.readouterr())
    assert "usage: python -m docs" in printed and ("the README's tables" in printed) == (code == 0)


def test_every_block_is_python_or_a_command():
    assert {kind for kind, _ in BLOCKS} == {"", "python"}
    assert all(command.startswith("python train.py ") for command in COMMANDS)


def test_the_python_blocks_run_one_after_the_other():
    names: dict = {}
    for kind, block in BLOCKS:
        if kind == "python":
            exec(block, names)
    assert {"model", "network", "nn", "grey"} <= set(names)


@pytest.mark.full
@pytest.mark.parametrize("command", [COMMANDS[0], *map(slow, COMMANDS[1:])])
def test_the_commands_train(command, tiny):
    arguments = re.findall(r"'([^']*)'|(\S+)", command.removeprefix("python train.py "))
    outcome = tiny("trainer.epochs=1", *(quoted or plain for quoted, plain in arguments))
    assert (outcome.code, outcome.err) == (0, "")
    assert "test accuracy" in outcome.out


def test_the_tables_are_todays():
    assert updated(PAGE) == PAGE
    for name, content in parts().items():
        assert PAGE.split(BEGIN.format(name))[1].split(END)[0].strip() == content


def test_the_tables_answer_for_every_amount_mode_and_layer():
    said = {}
    for table in tables().split("\n\n**"):
        names, _, *rest = table.splitlines()
        head, _, *rows = (line for line in rest if line.startswith("|"))
        reasons = dict(re.findall(r"^\[(\w)\] (.*?)\. *$", table, re.MULTILINE))
        modes = [cell.split(", ") for cell in head.strip("| ").split(" | ")]
        for row in rows:
            first, *answers = row.strip("| ").split(" | ")
            first = first.replace("a number, pairs", "a number")
            for layer, amount in itertools.product(
                re.findall(r"`(\w+)`", names), first.split(", ")
            ):
                for group, answer in zip(modes, answers, strict=True):
                    reason = reasons[answer[4]] if answer.startswith("no") else None
                    said.update({(layer, amount, mode): reason for mode in group})
    assert len(said) == len(LAYER_RANK) * (len(AMOUNTS) + 2) * len(MODES)
    for (layer, name, mode), reason in said.items():
        amount = amounts(LAYER_RANK[layer])["a number, pairs" if name == "a number" else name]
        found = supports(amount, mode, layer)
        assert (found is None) == (reason is None), (layer, name, mode)
        if found:
            plain = found.replace(layer, "the layer").replace(f"mode '{mode}'", "the mode")
            assert reason == plain


def test_every_amount_and_mode_has_a_row():
    for name, objects in (("amounts", AMOUNTS), ("modes", MODES)):
        rows = parts()[name].splitlines()[2:]
        assert len(rows) == len(objects)
        for one in objects:
            (row,) = (row for row in rows if row.startswith(f"| `{one}` |"))
            assert len(row) > len(one) + 20, f"models/padding/{name}/{one}.py needs a docstring"
