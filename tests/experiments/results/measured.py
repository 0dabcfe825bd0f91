"""What the tables hold that are not those of a study: probes, simulations, times."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict
from collections.abc import Callable
from statistics import mean

from tests.experiments.results.committed import RESULTS, ROOT, Study, Told, naming, rows


def why() -> Study:
    """How often the border is read, and how accuracy depends on circular shifts, by padding; the
    rank correlations of PosENet's trained readers.
    """
    found = Study()
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
    readers: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows(RESULTS / "posenet" / "table.csv"):
        if row["pictures"] == "windows" and row["reader"] == "sgd" and row["map"] == "H":
            readers[row["map"], row["pad"]].append(float(row["spc"]))
    found.figures.extend(map(mean, readers.values()))
    runs = [*readers.values(), *(of["foveation/border"] for of in probes.values())]
    found.whole["seeds"] = {len(one) for one in runs}
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


MEASURED: dict[str, Callable[[], Study]] = {"Why": why, "Trust": trust, "Speed": speed}
