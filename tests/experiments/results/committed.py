"""What the committed tables of a study hold, read once."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import mean, median, stdev

from data.tasks import VALIDATION
from data.tasks.metrics import AT, METRICS, is_metric, is_tested, measured, split_part

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "experiments" / "results"
FIGURE = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)")
NUMBER = r"(?<![\w.])[+−]?\d+\.\d+"
ANOTHER = "At another epoch"
INTERVAL = re.compile(rf"\[({NUMBER}),\s({NUMBER})\]")


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+\d*[a-z]*|\d+(?:\.\d+)?", text.lower()))


def named(text: str, names: Iterable[str], *, longest: bool = True) -> set[str]:
    """The names whose words a text has, without those that are parts of a longer one."""
    there = words(text)
    found = {name for name in names if words(name) <= there}
    parts = {a for a in found for b in found if words(a) < words(b)}
    return found - parts if longest else found


def says(text: str, value: float, slack: float = 0.0, *, turned: bool = False) -> bool:
    """Whether a figure is a value, rounded to its decimals, with the sign that it has.

    Args:
        slack: by how much the value may be rounded already.
        turned: a figure without a sign may be of a negative value: "2.0 points below".
    """
    number, digits = text.lstrip("+−"), len(text.partition(".")[2])
    if number != text:
        if value and (value < 0) != (text[0] == "−"):
            return False
        value = abs(value)
    elif turned:
        value = abs(value)
    half = 0.5 * 10.0**-digits
    if slack:
        return abs(float(number) - value) <= (half + slack if half > slack else 0) + 1e-9
    written = f"{value:.{digits}f}"
    return number == (written if float(written) else written.lstrip("-"))


@dataclass(frozen=True)
class Told:
    """A row of a table: of a cell, or of its difference from the baseline.

    Attributes:
        names: kind ("padding", "model", "data", "subset", "part") -> the row's own; the part is the
            folder below the study's.
        seeds: the values of which the mean is.
        intervals: the one that decides, and that over new test items.
        slack: by how much a value may be rounded already.
        described: of a report's table of what is not tested.
    """

    names: dict[str, frozenset[str]]
    mean: float
    sd: float | None = None
    seeds: tuple[float, ...] = ()
    intervals: tuple[tuple[float, float], ...] = ()
    baseline: str = ""
    slack: float = 0.0
    described: bool = False

    def __str__(self) -> str:
        own = " ".join(sorted({name for names in self.names.values() for name in names} - {""}))
        sd = f" ({self.sd:.5g})" if self.sd is not None else ""
        ends = "".join(f" [{low:+.5g}, {high:+.5g}]" for low, high in self.intervals)
        return f"{self.mean:.5g}{sd}{ends}{f' of {own}' * bool(own)}"

    def of(self, wanted: dict[str, set[str]]) -> bool:
        return all(not own or own & self.names[kind] for kind, own in wanted.items())


@dataclass(frozen=True)
class Study:
    """The committed tables of a folder and those below it.

    Attributes:
        rings: (part, distance to the border) -> the errors there.
        whole: "seeds", "epochs" or "examples" -> the numbers that may be told.
        settings: figures that are no results, such as margins and learning rates.
        figures, ranges: of tables that are not those of a study.
    """

    cells: list[Told] = field(default_factory=list)
    effects: list[Told] = field(default_factory=list)
    rings: dict[tuple[str, int], list[Told]] = field(default_factory=dict)
    ratios: list[Told] = field(default_factory=list)
    minutes: list[Told] = field(default_factory=list)
    whole: dict[str, set[int]] = field(default_factory=dict)
    settings: set[float] = field(default_factory=set)
    figures: list[float] = field(default_factory=list)
    ranges: list[tuple[float, float]] = field(default_factory=list)

    def vocabulary(self, kind: str) -> set[str]:
        """The names that may stand on the page; of networks and data sets, those of the runs."""
        every = [*self.cells, *self.effects, *self.ratios]
        runs = [row for row in every if row.seeds] or every
        of = runs if kind in ("model", "data") else every
        return {name for row in of for name in row.names[kind]} - {""}


def naming(**names: str) -> dict[str, frozenset[str]]:
    kinds = ("padding", "model", "data", "subset", "part")
    return {kind: frozenset([names.get(kind, "")]) for kind in kinds}


def primary(folder: Path) -> str:
    report = folder / "report.md"
    text = report.read_text().replace("\\", "") if report.exists() else ""
    told = re.search(r"primary metric (\S+?),", text)
    return told[1] if told else METRICS[0]


@cache
def study(folder: Path) -> Study:
    found = Study()
    for path in sorted(folder.rglob("runs.csv")):
        _read_runs(found, path.parent, str(path.parent.relative_to(folder)).strip("."))
    for path in sorted(folder.rglob("report.md")):
        _read_report(found, path.parent, str(path.parent.relative_to(folder)).strip("."))
    for known in (found.cells, found.effects):
        known.sort(key=lambda row: row.described)
    return found


def _read_runs(found: Study, folder: Path, part: str) -> None:
    runs = rows(folder / "runs.csv")
    kinds = ("padding", "model", "data")
    names = {r["cell"]: naming(**{kind: r[kind] for kind in kinds}, part=part) for r in runs}
    by_cell: dict[tuple[str, str], list[float]] = defaultdict(list)
    wanted = primary(folder)
    for row in runs:
        for key, value in row.items():
            told = is_metric(key) and (is_tested(key) or key == wanted)
            if told and value:
                by_cell[row["cell"], key].append(measured(key).scale * float(value))
        named_so = f"{row.get('family')} {row['padding']}"
        found.settings.update(map(float, re.findall(r"\d+\.\d+", named_so)))
    for (cell, key), seeds in by_cell.items():
        subset = frozenset([split_part(key)[1]])
        sd = stdev(seeds) if len(seeds) > 1 else None
        own = {**names[cell], "subset": subset}
        found.cells.append(Told(own, mean(seeds), sd, tuple(seeds)))
    if (folder / "tuning.json").exists():
        tuned = json.loads((folder / "tuning.json").read_text())["declared"]
        found.settings.update(value for grid in tuned.values() for value in grid)
    found.whole.setdefault("seeds", set()).update(len(seeds) for seeds in by_cell.values())
    epochs = {int(row["epochs"]) for row in runs}
    epochs |= {int(key.partition(AT)[2]) for key in runs[0] if AT in key}
    found.whole.setdefault("epochs", set()).update(epochs)
    sizes = found.whole.setdefault("examples", set())
    for row in runs:
        train, test = of_data(row["data"])
        sizes |= {int(row["examples"])} if row["examples"] else train
        sizes |= test
    for name in ("differences.csv", "contrasts.csv", "differences_at.csv", "contrasts_at.csv"):
        for row in rows(folder / name):
            if row["mean"]:
                _read_effect(found, row, part)
    rings: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows(folder / "border.csv"):
        rings[row["cell"], int(row["distance"])].append(float(row["error"]))
    for (cell, distance), errors in rings.items():
        found.rings.setdefault((part, distance), []).append(Told(names[cell], mean(errors)))
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows(folder / "timings.csv"):
        times[row["cell"]].append(float(row["train_seconds"]) / 60)
    for cell, minutes in times.items():
        found.minutes.append(Told(names[cell], median(minutes)))


def _read_effect(found: Study, row: dict[str, str], part: str) -> None:
    if "contrast" in row:
        padding, _, rest = row["contrast"].partition(":")
        places = frozenset(re.findall(r"\w+", rest))
        names = {**naming(padding=padding, part=part), "model": places, "data": places}
    else:
        names = naming(padding=row["cell"], model=row["model"], data=row["data"], part=part)
    ends = [(row[f"{kind}low"], row[f"{kind}high"]) for kind in ("", "new_items_")]
    intervals = tuple((float(low), float(high)) for low, high in ends if low and high)
    baseline = row.get("baseline", "")
    found.effects.append(Told(names, float(row["mean"]), None, (), intervals, baseline))
    found.settings.update(float(row[key]) for key in ("margin", "level") if row.get(key))


def _read_report(found: Study, folder: Path, part: str) -> None:
    """What only the written report has: other subsets, and another epoch without a CSV file."""
    text = (folder / "report.md").read_text().replace("\\", "").replace("-", "−")
    head = family = chapter = ""
    for line in text.splitlines():
        if line.startswith("#"):
            family = line if line.startswith("### ") else ""
            chapter, head = (line if line.startswith("## ") else chapter), ""
            if epoch := re.search(rf"{ANOTHER}: \S+{AT}(\d+)", line):
                found.whole.setdefault("epochs", set()).add(int(epoch[1]))
        if not line.startswith("| ") or not head:
            head = line if line.startswith("| ") else head if line else ""
            continue
        own = dict(zip(split(head), split(line), strict=False))
        described = chapter.startswith("## Described")
        if described or (
            re.search(ANOTHER, family) and not (folder / "differences_at.csv").exists()
        ):
            _read_line(found, own, family, part, described)


def _read_line(found: Study, own: dict[str, str], family: str, part: str, described: bool) -> None:
    about = own.get("padding") or own.get("comparison") or own.get("contrast", "")
    padding = re.split(r" \(| − |: ", about)[0]
    places = words(f"{family} {own.get('family', '')} {about}")
    places |= frozenset(re.findall(r"\w+", f"{family} {own.get('family', '')} {about}"))
    subset = own.get("metric", "").removeprefix("accuracy on ").removeprefix("test accuracy")
    if subset.startswith(VALIDATION.strip("_")):
        return
    names = {**naming(padding=padding, subset=subset, part=part), "model": places, "data": places}
    if re.fullmatch(NUMBER, own.get("mean", "")):
        sd = float(own["sd"]) if re.fullmatch(NUMBER, own.get("sd", "")) else None
        figures = (float(own["mean"].replace("−", "-")), sd)
        found.cells.append(Told(names, *figures, slack=_slack(own["mean"]), described=described))
    for value in own.values():
        if told := re.match(rf"({NUMBER}) {INTERVAL.pattern}", value):
            point, low, high = (float(number.replace("−", "-")) for number in told.groups())
            slack = _slack(told[1])
            ends = ((low, high),)
            row = Told(names, point, None, (), ends, "", slack, described)
            found.effects.append(row)


def _slack(text: str) -> float:
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


@cache
def of_data(name: str) -> tuple[set[int], set[int]]:
    """The numbers of training and test examples, as the front page's table of data has them."""
    page = (ROOT / "README.md").read_text()
    line = re.search(rf"^\| `{name}` \|.*$", page, re.MULTILINE)
    if not line:
        return set(), set()
    train, _, test = split(line[0])[2].partition(" / ")
    numbers = [{int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", s)} for s in (train, test)]
    return numbers[0], numbers[1]
