"""The table of the speed comparison: on the terminal, as Markdown and as CSV."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from experiments.benchmarks import options
from experiments.report.pages import document
from experiments.terminal import console

Row = dict[str, Any]
# The comparisons: images per second of the first divided by those of the second.
PAIRS = (
    ("padzoo", "bare fit"),
    ("padzoo", "padzoo by fit"),
    ("padzoo", "PyTorch"),
    ("padzoo bfloat16", "padzoo"),
    ("PyTorch bfloat16", "PyTorch"),
)


def rows(network: str, batch_size: int, steps: int, seconds: dict[str, list[float]]) -> list[Row]:
    """One row for each measured pair: medians over the rounds, quartiles of the ratio."""
    images = steps * batch_size
    found = []
    for name, other in PAIRS:
        if name not in seconds or other not in seconds:
            continue
        ratios = [b / a for a, b in zip(seconds[name], seconds[other], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
        found.append(
            {
                "network": network,
                "batch_size": batch_size,
                "steps": steps,
                "loop": name,
                "images_per_second": round(images / statistics.median(seconds[name]), 1),
                "compared_with": other,
                "its_images_per_second": round(images / statistics.median(seconds[other]), 1),
                "ratio": round(middle, 3),
                "ratio_q1": round(low, 3),
                "ratio_q3": round(high, 3),
            }
        )
    return found


def table(rows: Sequence[Row]) -> document.Table:
    """One line for each network and batch size."""
    pairs = [pair for pair in PAIRS if any(_pair(row) == pair for row in rows)]
    loops = list(dict.fromkeys(name for pair in pairs for name in pair))
    titles = ["network", "batch", *(f"{name}, images/s" for name in loops)]
    titles += [f"{name} ÷ {other} [quartiles]" for name, other in pairs]
    lines = []
    for cell in dict.fromkeys((row["network"], row["batch_size"]) for row in rows):
        of_cell = [row for row in rows if (row["network"], row["batch_size"]) == cell]
        speeds = {row["loop"]: row["images_per_second"] for row in of_cell}
        speeds |= {row["compared_with"]: row["its_images_per_second"] for row in of_cell}
        ratios = [
            f"{row['ratio']:.2f} [{row['ratio_q1']:.2f}, {row['ratio_q3']:.2f}]" for row in of_cell
        ]
        lines.append([*map(str, cell), *(f"{speeds[name]:,.0f}" for name in loops), *ratios])
    return document.Table(titles, lines, right=range(2, len(titles)))


def show(rows: Sequence[Row]) -> None:
    """Print the comparisons on the terminal, one per line."""
    shown = Table(box=None, pad_edge=False)
    for title in ("network", "batch", "loop", "images/s", "÷", "ratio", "quartiles"):
        shown.add_column(title, justify="right" if title in ("batch", "images/s") else "left")
    for row in rows:
        shown.add_row(
            row["network"],
            str(row["batch_size"]),
            row["loop"],
            f"{row['images_per_second']:,.0f}",
            row["compared_with"],
            f"{row['ratio']:.2f}",
            escape(f"[{row['ratio_q1']:.2f}, {row['ratio_q3']:.2f}]"),
        )
    console.print(shown)


def write(folder: Path, rows: Sequence[Row], facts: document.Items) -> list[Path]:
    """Write loop.md and loop.csv into `folder`; returns the paths."""
    return options.write(folder / "loop", "The training loop's speed", rows, facts, table(rows))


def _pair(row: Row) -> tuple[str, str]:
    return row["loop"], row["compared_with"]
