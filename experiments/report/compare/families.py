"""Which cells are compared with each other: those that differ in their padding alone.

A family is one network on one data set with everything but the padding equal: kernel size, part
of the data, training, back end. Families that share network and data are told apart by what
differs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conf.schema import Config
from experiments.report.compare.reading import Cell

# Settings whose value says it all.
SPEAKING = ("backend", "precision")
JIT = "trainer.jit"


@dataclass(frozen=True)
class Family:
    """Cells that differ in their padding alone.

    Attributes:
        model, data: what people call them by.
        differs: setting -> value, where other families have the same model and data.
        cells: name -> cell; a name is the padding's, with the digest where two have one name.
    """

    model: str
    data: str
    differs: dict[str, str]
    cells: dict[str, Cell]

    @property
    def title(self) -> str:
        own = [v if k in SPEAKING else f"{k} {v}" for k, v in self.differs.items()]
        return f"{', '.join([self.model, *own])} on {self.data}"

    def shown(self, name: str) -> str:
        """A cell's name with those of its aliases."""
        aliases = self.cells[name].aliases
        return f"{name}, also {', '.join(aliases)}" if aliases else name

    def named(self, padding: str) -> str | None:
        """The name of the cell that has this padding, or stands for it; None without one."""
        for name, cell in self.cells.items():
            if padding in (name, cell.label, *cell.aliases):
                return name
        return None


def families(cells: list[Cell]) -> list[Family]:
    """Sort cells into families, in the order in which they come."""
    settings = [_flat(_apart_from_padding(cell.config)) for cell in cells]
    groups: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, cell in enumerate(cells):
        what = cell.config.model.name, cell.config.data.label
        groups[what][json.dumps(settings[i], sort_keys=True)].append(i)
    found = []
    for (model, data), by_settings in groups.items():
        members = list(by_settings.values())
        apart = _apart([settings[group[0]] for group in members])
        for differs, group in zip(apart, members, strict=True):
            found.append(Family(model, data, differs, _named([cells[i] for i in group])))
    return found


def _apart_from_padding(config: Config) -> dict[str, Any]:
    """What makes two cells' trainings the same but for the padding and the data's content.

    The content is held against the baseline's when cells are compared: data that has changed is
    to be told, and not to make a family of its own.
    """
    values = config.identity("")
    del values["padding"]
    values["seeds"].pop("padding", None)  # only a random border draws from it
    return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _apart(settings: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For each family, the settings in which it is not like the others of its model and data."""
    keys = dict.fromkeys(key for values in settings for key in values)
    apart = [k for k in keys if len({json.dumps(v.get(k, "–")) for v in settings}) > 1]
    # Another optimizer or schedule has other options: its name says that.
    renamed = {key.removesuffix("name") for key in apart if key.endswith(".name")}
    apart = [
        key
        for key in apart
        if key.endswith(".name")
        or not key.startswith(tuple(renamed) or "\0")
        or all(key in values for values in settings)
    ]
    if JIT in apart and len({v["backend"] for v in settings}) == len(
        {(v["backend"], v[JIT]) for v in settings}
    ):
        apart.remove(JIT)  # it follows from the back end, which is said
    short = [_short(key) for key in apart]
    names = [
        name if short.count(name) == 1 else key for key, name in zip(apart, short, strict=True)
    ]
    return [
        {name: _plain(v[key]) for key, name in zip(apart, names, strict=True) if key in v}
        for v in settings
    ]


def _short(key: str) -> str:
    group, _, last = key.rpartition(".")
    return group if last == "name" else last


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named(cells: list[Cell]) -> dict[str, Cell]:
    labels = [cell.label for cell in cells]
    return {
        cell.label
        if labels.count(cell.label) == 1
        else f"{cell.label} {cell.name.rsplit('-', 1)[-1]}": cell
        for cell in cells
    }
