"""What the tables hold that are not those of a study: probes, simulations, times."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import mean, stdev

from data.tasks import CLASSIFICATION, TASKS
from experiments.report.why.__main__ import columns_of
from tests.experiments.results.committed import (
    RESULTS,
    ROOT,
    Study,
    Told,
    naming,
    of_data,
    rows,
    study,
)

PUBLISHED = "published"


def why() -> Study:
    """How often the border is read, and how accuracy depends on circular shifts, by padding; the
    accuracies by margin of the study; the rank correlations of PosENet's trained readers.
    """
    found, (_, accuracies) = Study(), lost()
    probes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(RESULTS / "why" / "probes.csv"):
        for key in ("foveation/border", "position/circular/lowest", "position/circular/highest"):
            probes[row["padding"]][key].append(float(row[key]))
    for padding, of in probes.items():
        border, lowest, highest = map(mean, of.values())
        found.ratios.append(Told(naming(padding=padding), border))
        found.ranges.append((100 * lowest, 100 * highest))
    others = [100 * mean([*probes[name].values()][1]) for name in probes if name != "circular"]
    found.ranges.append((min(others), max(others)))
    found.cells.extend(accuracies)
    for row in posenet().cells:
        own = {"model": {"H"}, "subset": {"SPC"}, "data": {"windows", PUBLISHED}}
        if row.of(own):
            found.figures.append(row.mean)
    seeds = {len(of["foveation/border"]) for of in probes.values()} | posenet().whole["seeds"]
    return replace(found, whole={**lost()[0].whole, "seeds": seeds | lost()[0].whole["seeds"]})


def lost() -> tuple[Study, list[Told]]:
    """Of small_cnn in padding_x_model: its differences and its numbers of seeds, epochs and
    examples; and its accuracies by margin, which its report describes.
    """
    known, own = study(RESULTS / "padding_x_model"), {"model": {"small_cnn"}, "part": {""}}
    effects = [row for row in known.effects if row.of(own)]
    margins = [r for r in known.cells if r.described and r.of(own) and len(r.names["model"]) > 1]
    sizes = of_data("placed_digits")
    seeds = {len(row.seeds) for row in known.cells if row.of(own) and row.seeds}
    whole = {"seeds": seeds, "epochs": {3}, "examples": set.union(*sizes)}
    return Study(effects=effects, whole=whole), margins


def probed() -> Study:
    """The means of the probes over seeds, each under the title of its column."""
    compared, _ = lost()
    found = Study(effects=compared.effects, whole=compared.whole)
    for title, padding, values in _of_probes():
        names = naming(padding=padding, model="small_cnn", data="placed_digits", subset=title)
        found.cells.append(Told(names, mean(values), stdev(values), values))
        found.whole["seeds"].add(len(values))
    return found


def maps() -> Study:
    """The probes of seed 0 alone, which is the first, and how far circular shifts go down there."""
    found, lowest = Study(), {}
    for title, padding, (value, *_) in _of_probes():
        told = found.effects if title.startswith("under") else found.cells
        told.append(Told(naming(padding=padding), value))
        found.ratios.append(Told(naming(padding=padding), value))
        if "lowest" in title:
            lowest[padding] = value
        elif title.startswith("highest"):
            found.ranges.append((lowest[padding], value))
    others = [value for padding, value in lowest.items() if padding != "circular"]
    found.ranges.append((min(others), max(others)))
    return found


def _of_probes() -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Title, padding, and the values of the seeds."""
    runs = rows(RESULTS / "why" / "probes.csv")
    columns = columns_of(TASKS[CLASSIFICATION])
    for padding in dict.fromkeys(row["padding"] for row in runs):
        own = [row for row in runs if row["padding"] == padding]
        for title, path, scale, _ in columns:
            key = "/".join(map(str, path[path[0] == "probes" :]))
            if values := tuple(scale * float(row[key]) for row in own if row.get(key)):
                yield title, padding, values


def posenet() -> Study:
    """Rank correlations and errors of the trained and the exact readers, by map, pixels of zeros
    and pictures; the published ones, and by how much the trained readers' differ from them.
    """
    found = Study(whole={"seeds": set(), "examples": set()})
    folder = RESULTS / "posenet"
    values: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for row in rows(folder / "table.csv"):
        for key in ("spc", "mae"):
            values[row["map"], row["pad"], row["pictures"], row["reader"], key].append(
                float(row[key])
            )
    for (of, pad, pictures, reader, key), seeds in values.items():
        names = naming(model=of, padding=pad, data=pictures, part="" if reader == "sgd" else reader)
        names["subset"] = frozenset([key.upper()])
        found.cells.append(Told(names, mean(seeds), stdev(seeds), tuple(seeds)))
        found.whole["seeds"].add(len(seeds))
    text = (folder / "table.md").read_text()
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for key, part in zip(("SPC", "MAE"), parts, strict=True):
        for of, pad, told in re.findall(
            r"^\| ([HVG]) \| (\d) \| (-?[\d.]+) \|", part, re.MULTILINE
        ):
            names = naming(model=of, padding=pad, data=PUBLISHED, subset=key)
            (found.effects if told[0] == "-" else found.cells).append(Told(names, float(told)))
            here = mean(values[of, pad, "windows", "sgd", key.lower()])
            found.effects.append(Told(naming(data="difference", subset=key), here - float(told)))
    measured = re.search(r"^- measured: .*$", text, re.MULTILINE)
    numbers = re.findall(r"[\d,]*\d", measured[0]) if measured else []
    found.whole["examples"] |= {int(number.replace(",", "")) for number in numbers}
    return found


def trust() -> Study:
    """Rates in per cent and widths of the simulations that the page tells of, over all of them or
    those with one number of seeds; the rates of the splits of real runs.
    """
    found = Study(whole={"seeds": {40}, "examples": set(), "epochs": set()})
    for name, told in (
        ("verdicts", {"normal"}),
        ("new_images", {"seeds only", "interaction only"}),
    ):
        table = rows(RESULTS / "verdicts" / f"{name}.csv")
        first = next(iter(table[0]))
        every = {row[first] for row in table}
        seeds = {row["seeds"] for row in table}
        kinds = [told, every] if name == "new_images" else [told]
        for number, some in itertools.product([None, *seeds], kinds):
            lines = [r for r in table if r[first] in some and number in (None, r["seeds"])]
            for key in ("differs", "equivalent", "all_cover", "width"):
                if values := [float(line[key]) for line in lines if line.get(key)]:
                    scale = 1 if key == "width" else 100
                    found.ranges.append((scale * min(values), scale * max(values)))
        found.whole["seeds"] |= {int(number) for number in seeds if number.isdigit()}
        found.whole["examples"] |= {int(row["images"]) for row in table if "images" in row}
    for block in json.loads((RESULTS / "a_a" / "a_a.json").read_text())["found"]:
        found.figures.extend(100 * block[key] for key in ("families", "tests"))
        found.whole["examples"].add(block["splits"])
    epochs = re.findall(r"epochs=(\d+)", (ROOT / "conf" / "sweep" / "a_a.yaml").read_text())
    found.whole["epochs"] |= set(map(int, epochs))
    return found


def speed() -> Study:
    """Ratios with their quartiles, their ranges over networks, and milliseconds by operation."""
    found = Study()
    for path in sorted((RESULTS / "loop").rglob("loop.csv")):
        part = path.parent.name.removeprefix("loop")
        for row in rows(path):
            names = naming(model=row["network"], subset=row["batch_size"], part=part)
            ends = ((float(row["ratio_q1"]), float(row["ratio_q3"])),)
            compared = f"{row['loop']} ÷ {row['compared_with']}"
            found.effects.append(Told(names, float(row["ratio"]), None, (), ends, compared))
    for compared in ("padzoo ÷ padzoo by fit", "padzoo bfloat16 ÷ padzoo"):
        own = [r for r in found.effects if r.baseline == compared and r.names["part"] == {""}]
        networks = sorted({name for row in own for name in row.names["model"]})
        for n in (2, len(networks)):
            for some in itertools.combinations(networks, n):
                ratios = [row.mean for row in own if row.names["model"] <= {*some}]
                found.ranges.append((min(ratios), max(ratios)))
        found.figures.extend(row.mean for row in own if "by fit" in compared)
    for path in (RESULTS / "loop").rglob("operations.csv"):
        found.figures.extend(
            float(row[f"{side}_ms"]) for row in rows(path) for side in ("padzoo", "PyTorch")
        )
    return found


MEASURED: dict[str, Callable[[], Study]] = {
    "Why": why,
    "Trust": trust,
    "Speed": speed,
    "Why: the results of the probes in one network under each padding": probed,
    "The maps, padding by padding": maps,
    "What the probes add to the studies": lambda: lost()[0],
    "Position from zeros alone: PosENet": posenet,
}
