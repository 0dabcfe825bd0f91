"""The README's tables of what can be chosen: paddings, models, data.

    python -m docs.readme_tables     writes them between the markers of README.md

A row holds what the comment at the top of the choice's YAML says: the line of the help page and,
below it, `# Source`, `# Examples` and `# Result`, a folder of experiments/results and a cell there.
The rest is measured on the choice itself.
"""

from __future__ import annotations

import csv
import re
import statistics
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import models
from conf import choices, commandline
from data.tasks import FORECASTING, TESTED, of_metric
from experiments.run.record.tables import Marked, markdown
from models import registry
from models.geometry.tracing.trace import trace
from models.padding import NAMED
from models.padding.names import INPUT
from models.padding.supports import LAYERS, supports

PAGE = commandline.ROOT.parent / "README.md"
RESULTS = "experiments/results"
END = "<!-- end -->"
UNIT = {"image": "", "sequence": " steps"}


def begin(table: str) -> str:
    """The marker above a table."""
    return f"<!-- begin: python -m docs, {table} -->"


def paddings() -> str:
    """A row for each padding: its two factors, its picture, its help."""
    rows = []
    for name in commandline.options("padding"):
        padding = NAMED[name]
        picture = f"![{name}](docs/pictures/padding-{name}.svg)"
        cells = [
            Marked(f"`{name}`"),
            _listed(padding.amount),
            _listed(padding.mode),
            Marked(picture),
        ]
        rows.append([*cells, Marked(_help("padding", name))])
    return markdown(["`padding=`", "amount", "mode", "", "what it does"], rows)


def data_sets() -> str:
    """A row for each data set: its help, its size, where it is from."""
    rows = []
    for name in commandline.options("data"):
        said = _said("data", name)
        rows.append(
            [Marked(f"`{name}`"), *(said.get(key, "") for key in ("help", "Examples", "Source"))]
        )
    return markdown(["`data=`", "what", "train / test", "source"], rows)


def networks() -> str:
    """A row for each model."""
    head = ["`model=`", "takes", "tasks", "what", "source", "parameters", "receptive field"]
    rows = [network(name) for name in commandline.options("model")]
    last = ["smallest input under `valid`", "paddings", "a result on test data (sd), n"]
    return markdown([*head, *last], rows)


def network(name: str) -> list[str]:
    """The row of a model: one channel, and ten classes or an image of one channel."""
    with initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        chosen = compose("config", [f"model={name}", "padding=same"]).model
    options: Any = OmegaConf.to_container(chosen)
    architecture = options.pop("name")
    gives = registry.constants(registry.FOLDER, "GIVES").get(architecture, "logits")
    options["num_classes"] = 1 if gives == "image" else 10
    kind, size = models.kind(architecture), models.smallest_input(architecture, **options)
    rank = models.SPATIAL_RANK[kind]
    shape = (size,) * rank + (1,)
    model = models.build(architecture, input_shape=shape, **options)
    field = [row for row in trace(model) if row.output_size][-1].receptive_field
    sizes = ("×".join(f"{n:,}" for n in axes) + UNIT[kind] for axes in (field, shape[:-1]))
    said = _said("model", name)
    tasks = [t.replace("_", "-") for t in choices.tasks_of(architecture) if t != FORECASTING]
    plain = [f"{kind}s", ", ".join(tasks), said["help"], said.get("Source", "")]
    measured = [f"{model.count_params():,}", *sizes, Marked(taken(model, rank))]
    return [Marked(f"`{name}`"), *plain, *measured, Marked(result(said.get("Result", "")))]


def result(place: str) -> str:
    """The mean and sd over seeds of a cell of a committed study, with what it was trained on.

    Args:
        place: "<folder of experiments/results> <cell>"; empty for a model without a result.
    """
    if not place:
        return ""
    folder, cell = place.split()
    with open(PAGE.parent / RESULTS / folder / "runs.csv", newline="") as file:
        runs = [row for row in csv.DictReader(file) if row["cell"] == cell]
    one = runs[0]
    metric = next(name for name in TESTED if one.get(name))
    task = of_metric(metric)
    values = [float(row[metric]) for row in runs]
    sd = f"{task.scale * statistics.stdev(values):{'.2f' if task.unit else '.2g'}}"
    told = f"{task.label} {task.told(statistics.mean(values))} ({sd}), {len(values)}"
    examples = f", {int(one['examples']):,} examples" if one["examples"] else ""
    on = f"`{one['padding']}`, {one['data']}{examples}, {one['epochs']} epochs"
    return f"[{told}]({RESULTS}/README.md#{folder}): {on}"


def taken(model: Any, rank: int) -> str:
    """Which paddings a network's layers take, as `supports` says of each kind of them."""
    computing = ("convolution", "transposed")
    kinds = {type(layer).__name__ for layer in model.layers} & LAYERS.keys()
    layers = sorted(kind for kind in kinds if LAYERS[kind].computes in computing)
    refused = []
    for name in commandline.options("padding"):
        amount, mode = NAMED[name].amount, NAMED[name].mode
        asked = [f"PadInput{rank}D"] if amount == INPUT else layers
        if any(supports(amount, mode, layer) for layer in asked):
            refused.append(f"`{name}`")
    return f"all but {', '.join(refused)}" if refused else "all"


def _said(group: str, choice: str) -> dict[str, str]:
    """What the comment at the top of a choice's file says."""
    text = (commandline.ROOT / group / f"{choice}.yaml").read_text()
    return {
        "help": commandline.options(group)[choice],
        **dict(re.findall(r"^# (Source|Examples|Result) +(.*)$", text, re.MULTILINE)),
    }


def _help(group: str, choice: str) -> str:
    said = _said(group, choice)
    return said["help"] + (f" ({said['Source']})" if "Source" in said else "")


def _listed(entry: Any) -> str:
    return ", ".join(entry) if isinstance(entry, tuple) else str(entry)


TABLES = {"paddings": paddings, "models": networks, "data": data_sets}


def written(page: str, name: str) -> str:
    """The table of this name that the page holds."""
    return page.split(begin(name) + "\n")[1].split(f"\n{END}")[0]


def updated(page: str) -> str:
    """The page with today's tables between their markers."""
    for name, table in TABLES.items():
        head, rest = page.split(begin(name))
        tail = rest.split(END, 1)[1]
        page = f"{head}{begin(name)}\n{table()}\n{END}{tail}"
    return page


def main(page: Path = PAGE) -> None:
    """Write the tables into the README."""
    page.write_text(updated(page.read_text()))


if __name__ == "__main__":
    main()
