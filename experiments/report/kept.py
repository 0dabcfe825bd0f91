"""Writes the comparisons of kept reports anew, by today's rule, from the runs that they list.

    python -m experiments.report.kept experiments/results/padding_x_model

A kept report has no runs beside it, only their accuracies in runs.csv and, in correct.csv, the test
items that each has right. From these the command writes differences.csv, the tables of cells and
comparisons in report.md and report.html, and all pictures but that of margins. Reports older than
correct.csv keep the intervals over new test images of their time; all else stays as it is.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data.tasks import CLASSIFICATION, TASKS, TEST, TESTED, Task, of_metric
from data.tasks.metrics import is_metric, measured
from experiments import terminal
from experiments.report import writing
from experiments.report.compare import correct
from experiments.report.compare.differences import Compared, Declared, against_baseline
from experiments.report.compare.families import Family
from experiments.report.compare.reading import Cell, Record, Study
from experiments.report.compare.tested_items import Items
from experiments.report.pages import content, descriptive, html, sheets
from experiments.report.pages.content import Report
from experiments.report.pages.document import Block, Picture, markdown
from experiments.report.pages.pictures import canvas, every_picture
from experiments.report.statistics.verdict import EARLIER, OverNewImages
from experiments.run.record import files

CONFIG = cast(Any, None)  # of a kept run only the label of its padding is known
DATED = ": declared before the first run."
UNDATED = ": declared in the study's plan, which does not say when."
FOREST = "differences"
NOT_KEPT = ("## Contrasts", "## Tuned per padding", "Looks at ", "metric test\\_accuracy@")
REDRAWN = (FOREST, "accuracy", "cost", "curves")
# The captions of the pictures, today's and earlier ones.
OF = {
    FOREST: re.compile("Paired differences"),
    "accuracy": re.compile("Accuracy by padding"),
    "margin": re.compile("Accuracy by margin"),
    "cost": re.compile("Accuracy against cost"),
    "curves": re.compile("Learning curves"),
}
Row = dict[str, str]


@dataclass(frozen=True)
class KeptCell(Cell):
    """A cell of runs.csv."""

    padding: str = ""
    measure: str = TASKS[CLASSIFICATION].measure

    @property
    def label(self) -> str:
        return self.padding

    @property
    def task(self) -> Task:
        return of_metric(self.measure)


def read(folder: Path) -> Report:
    """The report of a folder's runs.csv, with the declaration of its differences.csv."""
    runs, before = _rows(folder / "runs.csv"), _rows(folder / "differences.csv")
    text = (folder / "report.md").read_text()
    told = re.search(
        r"Baseline (.+), primary metric (.+?), (?:of which|equivalence)", text.replace("\\", "")
    )
    baseline, metric = told.groups() if told else (before[0]["baseline"], "test_accuracy")
    for part in NOT_KEPT:
        if part in text:
            raise ValueError(f"runs.csv does not hold what {part.strip()!r} needs: report its runs")
    margins = [float(row["margin"]) for row in before if row["margin"]]
    declared = Declared(baseline, metric, margins[0] if margins else 0.3)
    for row in before:  # whether runs may be paired is not seen in runs.csv
        if re.search("differ in|differs from", why := row.get("not_compared") or ""):
            raise ValueError(f"{row['cell']} was not compared, it {why}")
    items, curves = _items(folder, measured(metric).scale), _curves(folder / "curves.csv")
    families: dict[str, dict[str, Cell]] = {}
    measure = next(n.removeprefix(TEST) for n in TESTED if n in runs[0])
    for row in runs:
        row.setdefault("family", f"{row['model']} on {row['data']}")
        cells = families.setdefault(row["family"], {})
        cell = cells.get(row["padding"]) or KeptCell(
            row["cell"], CONFIG, {}, tuple(row.get("aliases", "").split()), row["padding"], measure
        )
        if cell.name != row["cell"]:
            raise ValueError(f"{folder / 'runs.csv'}: two cells are named {row['padding']}")
        run = row["cell"], int(row["seed"])
        record = _record(row, items.get(run), curves.get((row["cell"], row["seed"]), []))
        if record.items and not math.isclose(
            record.items.points, record.points(metric) or 0, rel_tol=1e-6, abs_tol=1e-9
        ):
            raise ValueError(f"correct.csv and runs.csv disagree on {record.cell}, {record.seed}")
        cell.records[record.seed] = record
        cells[row["padding"]] = cell
    first = {row["family"]: row for row in runs}
    compared = []
    for title, cells in families.items():
        model, data = first[title]["model"], first[title]["data"]
        one = against_baseline(Family(model, data, _apart(title, model, data), cells), declared)
        if not items:
            _keep_earlier(one, [row for row in before if row.get("family", title) == title])
        compared.append(one)
    every = [cell for one in compared for cell in one.family.cells.values()]
    return Report(Study(folder, None, every), declared, compared)


def write(folder: Path) -> Report:
    """Write the parts of a folder's report that follow from its runs.csv."""
    report = read(folder)
    text = (folder / "report.md").read_text()
    pictures = {p.name: p for p in every_picture.draw(report.compared, report.declared)}
    rows = [row for one in report.compared for row in sheets.comparisons(one)]
    text = text.replace(DATED, UNDATED)
    text = _renewed(text, report, pictures, lambda blocks: f"\n{markdown(blocks)}", "\n![")
    for name, picture in pictures.items():
        shown = markdown([picture]).strip()
        for before in re.findall(rf"!\[[^\]]*\]\({name}\.png\)", text):
            text = text.replace(before, shown)
    written = {"report.md": text}
    if (folder / "report.html").exists():
        page = (folder / "report.html").read_text().replace(DATED, UNDATED)
        page = _renewed(page, report, pictures, _body, "<figure>")
        page = page.replace(_style(page), _style(html.page("", [])))
        for picture in pictures.values():
            page = _redrawn(page, picture)
        written["report.html"] = page
    files.write_csv(folder / "differences.csv", rows)
    for name, whole in written.items():
        files.write(folder / name, whole.encode())
    for name in REDRAWN:
        if name in pictures and (name == FOREST or (folder / f"{name}.png").exists()):
            files.write(folder / f"{name}.png", canvas.png(pictures[name].figure))
    return report


def _renewed(
    text: str,
    report: Report,
    pictures: Mapping[str, Picture],
    rendered: Callable[[Sequence[Block]], str],
    mark: str,
) -> str:
    """A page with today's tables, and with the forest plot before its first picture and table.

    Args:
        text: of the page.
        report: from which the tables are made.
        pictures: by name.
        rendered: writes blocks as a part of the page.
        mark: with which a picture begins; the first one after the tables ends them.
    """
    compared, cells = (
        content.comparisons(report),
        descriptive.of_cells(report.families, report.declared.metric),
    )
    parts = [*compared, *(cells if rendered(cells[:1]) in text else ())]  # some have no cells
    heads = [head for blocks in (cells, compared) if (head := rendered(blocks[:1])) in text]
    if not heads:
        raise ValueError(f"its page has no part that begins {compared[0]}")
    start = min(heads, key=text.index)
    before, _, rest = text.partition(start)
    _, found, after = rest.partition(mark)
    if not found:
        raise ValueError(f"its page has no picture after {start.strip()[:60]!r}")
    if FOREST in pictures and not OF[FOREST].search(text):
        head, picture, tail = before.partition(mark)
        before = head + rendered([pictures[FOREST]]) + picture + tail
    return before + rendered(parts) + mark + after


def _style(page: str) -> str:
    """The style sheet of a page."""
    return page.partition("<style>")[2].partition("</style>")[0]


def _body(blocks: Sequence[Block]) -> str:
    """The blocks as a part of a page."""
    page = html.page("", blocks)
    return page.partition("<body>\n")[2].partition("<script>")[0]


def _redrawn(page: str, picture: Picture) -> str:
    """The page with this picture, or only its caption where the runs are needed to draw it."""
    caption = OF[picture.name].match(picture.says)
    for figure in re.findall(r"<figure>.*?</figure>\n", page, re.DOTALL):
        says = figure.rpartition("<figcaption>")[2]
        if caption and OF[picture.name].match(says):
            drawn = _body([picture])
            if picture.name not in REDRAWN:
                new = drawn.rpartition("<figcaption>")[2]
                drawn = figure.removesuffix(says) + new
            page = page.replace(figure, drawn)
    return page


def _items(folder: Path, scale: float) -> dict[tuple[str, int], Items]:
    """(cell, seed) -> its test items; empty for a report older than correct.csv."""
    path = folder / "correct.csv"
    return correct.read(_rows(path), scale) if path.exists() else {}


def _keep_earlier(one: Compared, before: Sequence[Row]) -> None:
    """Give the comparisons the intervals over new test images that they had."""
    had = {
        row["cell"]: OverNewImages(
            float(row["new_items_low"]),
            float(row["new_items_high"]),
            row.get("new_items_verdict") or EARLIER,
        )
        for row in before
        if row.get("new_items_low")
    }
    one.comparisons[:] = [
        dataclasses.replace(c, over_new_images=had.get(c.name)) for c in one.comparisons
    ]


def _record(row: Row, items: Items | None, curve: list[dict[str, float]]) -> Record:
    """A run as its line tells it."""
    results: dict[str, Any] = {
        name: float(value) if value else None for name, value in row.items() if is_metric(name)
    }
    for name in ("parameters", "macs", "epochs"):
        results[name] = int(row[name]) if row[name] else None
    if size := row.get("final_map_size"):
        results["final_map_size"] = size.split("x")
    return Record(row["cell"], int(row["seed"]), CONFIG, results, [], None, curve, items)


def _apart(title: str, model: str, data: str) -> dict[str, str]:
    """The settings in a family's title: `model, setting value, … on data`."""
    own = title.removeprefix(model).removesuffix(f" on {data}").split(", ")[1:]
    pairs = (setting.partition(" ") for setting in own)
    return {name if value else "backend": value or name for name, _, value in pairs}


def _curves(path: Path) -> dict[tuple[str, str], list[dict[str, float]]]:
    """(cell, seed) -> the epochs of the run."""
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for row in _rows(path) if path.exists() else ():
        run = row.pop("cell"), row.pop("seed")
        found.setdefault(run, []).append({k: float(v) for k, v in row.items() if v})
    return found


def _rows(path: Path) -> list[Row]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser("python -m experiments.report.kept", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="+", help="with report.md and runs.csv")
    for folder in parser.parse_args(arguments).folder:
        try:
            report = write(folder)
        except FileNotFoundError as missing:
            parser.error(f"{folder} is no kept report: it has no {Path(missing.filename).name}")
        except (OSError, KeyError, ValueError) as reason:
            parser.error(f"{folder} is no kept report: {reason}")
        for one in report.compared:
            terminal.say("\n" + "\n".join(writing.table(one, report.declared)))
    return terminal.OK


if __name__ == "__main__":
    sys.exit(terminal.call(main))
