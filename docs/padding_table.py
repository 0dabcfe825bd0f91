"""The tables of docs/padding.md: every amount, every mode, and which layer takes which.

    python -m docs.padding_table     writes them between the markers of docs/padding.md

The descriptions of amounts and modes are the docstrings of their files; `models.padding.supports`
says which layer takes them. Rows and columns with equal answers are merged, and so are layers.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experiments.run.record.tables import Marked, markdown
from models.padding import AMOUNTS, MODES
from models.padding.names import INPUT
from models.padding.supports import LAYER_RANK, supports

PAGE = Path("docs/padding.md")
BEGIN, END = "<!-- begin: python -m docs.padding_table {} -->", "<!-- end -->"
NUMBER = "a number, pairs"

Answers = tuple[tuple[str | None, ...], ...]  # one row per amount, one column per mode


def amounts(rank: int) -> dict[str, Any]:
    """Every amount by name, in the form that a layer with `rank` axes takes."""
    named: dict[str, Any] = {amount: amount for amount in AMOUNTS}
    for amount in AMOUNTS:
        if rank > 1 and AMOUNTS[amount].causal:
            named[amount] = (amount, *("same",) * (rank - 1))
    return {**named, NUMBER: 1, INPUT: INPUT}


def answers(layer: str) -> Answers:
    """The answers of `supports` for every amount and mode, without naming layer and mode."""

    def answer(amount: Any, mode: str) -> str | None:
        reason = supports(amount, mode, layer)
        return reason and reason.replace(layer, "the layer").replace(f"mode '{mode}'", "the mode")

    rows = amounts(LAYER_RANK[layer]).values()
    return tuple(tuple(answer(amount, mode) for mode in MODES) for amount in rows)


def tables() -> str:
    """All tables, each with its layers above and its reasons below."""
    layers: dict[Answers, list[str]] = {}
    for layer in LAYER_RANK:
        layers.setdefault(answers(layer), []).append(layer)
    return "\n\n".join(_table(names, grid) for grid, names in layers.items())


def _table(layers: list[str], grid: Answers) -> str:
    rows: dict[tuple, list[str]] = {}
    for name, row in zip(amounts(LAYER_RANK[layers[0]]), grid, strict=True):
        rows.setdefault(row, []).append(name)
    columns: dict[tuple, list[str]] = {}
    for mode, column in zip(MODES, zip(*rows, strict=True), strict=True):
        columns.setdefault(column, []).append(mode)
    reasons: dict[str, str] = {}  # reason -> letter

    def said(reason: str | None) -> str:
        letter = reason and reasons.setdefault(reason, chr(ord("a") + len(reasons)))
        return f"no [{letter}]" if letter else "yes"

    lines = [
        [Marked(", ".join(names)), *(said(column[place]) for column in columns)]
        for place, names in enumerate(rows.values())
    ]
    notes = [f"[{letter}] {reason}." for reason, letter in reasons.items()]
    named = ", ".join(f"`{layer}`" for layer in layers)
    table = markdown(["", *(Marked(", ".join(modes)) for modes in columns.values())], lines)
    return "\n\n".join([f"**{named}**", table, "  \n".join(notes)])


def described(registry: str, names: Iterable[str]) -> str:
    """One row per object of `models.padding.<registry>`: its name and its docstring."""
    rows = []
    for name in names:
        text = importlib.import_module(f"models.padding.{registry}.{name}").__doc__ or ""
        rows.append([Marked(f"`{name}`"), " ".join(text.split())])
    return markdown([registry.removesuffix("s"), "what it is"], rows)


def parts() -> dict[str, str]:
    """The text between the markers, by the word in the marker."""
    return {
        "amounts": described("amounts", AMOUNTS),
        "modes": described("modes", MODES),
        "layers": tables(),
    }


def updated(page: str) -> str:
    """The page with the current tables between its markers."""
    for name, content in parts().items():
        begin = BEGIN.format(name)
        head, rest = page.split(begin)
        _, _, tail = rest.partition(END)
        page = f"{head}{begin}\n{content}\n{END}{tail}"
    return page


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text()))
