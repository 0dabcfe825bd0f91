"""Groups cells into families: cells that differ only in their padding and are compared.

A family is one network on one data set with everything but the padding equal: kernel size, subset
of the data, training, back end. If families share network and data, their titles say in which
settings they differ.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from conf.schema import Config
from data.tasks import Task
from experiments.report.compare.reading import Cell
from experiments.run.record import circumstances
from experiments.run.record.circumstances import told, unlike

FINGERPRINT, PREDICTED = "data fingerprint", "number of predicted pixels"
# Settings whose value is clear without the name.
SPEAKING = ("backend", "precision")
JIT = "trainer.jit"


@dataclass(frozen=True)
class Family:
    """Cells that differ only in their padding.

    Attributes:
        model, data: their names.
        differs: setting -> value, for settings that differ in other families with the same model
            and data.
        cells: name -> cell; the name is that of the padding, with a digest if it is not unique.
        tuned: the settings that are tuned for each cell, and so may differ too.
    """

    model: str
    data: str
    differs: dict[str, str]
    cells: dict[str, Cell]
    tuned: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        own = [v if k in SPEAKING else f"{k} {v}" for k, v in self.differs.items()]
        return f"{', '.join([self.model, *own])} on {self.data}"

    @property
    def task(self) -> Task:
        """That of all cells."""
        return next(iter(self.cells.values())).task

    @property
    def names(self) -> list[str]:
        """The names of the cells' directories."""
        return [cell.name for cell in self.cells.values()]

    def starts(self) -> dict[str, dict[int, str]]:
        """Directory -> seed -> when the run was first started, if that was recorded."""
        return {
            cell.name: {
                seed: record.starts[0]["time"]
                for seed, record in cell.records.items()
                if record.starts and record.starts[0].get("time")
            }
            for cell in self.cells.values()
        }

    def shown(self, name: str) -> str:
        """A cell's name with those of its aliases, and what was tuned for it."""
        cell = self.cells[name]
        also = f", also {', '.join(cell.aliases)}" if cell.aliases else ""
        return f"{name}{also}{self.chosen(name)}"

    def chosen(self, name: str) -> str:
        """What was tuned for a cell, in brackets after a space; empty if nothing was."""
        settings = _flat(self.cells[name].config.identity("")) if self.tuned else {}
        values = ", ".join(f"{_short(key)} {_plain(settings.get(key))}" for key in self.tuned)
        return f" ({values})" if values else ""

    @property
    def tuned_words(self) -> str:
        """The settings that are tuned for each cell, without their groups."""
        return " and ".join(map(_short, self.tuned))

    def named(self, padding: str) -> str | None:
        """The name of the cell with this padding, its own or that of an alias; None without one."""
        for name, cell in self.cells.items():
            if padding in (name, cell.label, *cell.aliases):
                return name
        return None


def families(cells: list[Cell], tuned: Iterable[str] = ()) -> list[Family]:
    """Group cells into families, in the order of their first cells.

    Args:
        tuned: settings that are tuned for each cell, in which a family's cells may differ.
    """
    tuned = tuple(tuned)
    settings = [_flat(_apart_from_padding(cell.config), without=tuned) for cell in cells]
    groups: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, cell in enumerate(cells):
        what = cell.config.model.name, cell.config.data.label
        groups[what][json.dumps(settings[i], sort_keys=True)].append(i)
    found = []
    for (model, data), by_settings in groups.items():
        members = list(by_settings.values())
        apart = _apart([settings[group[0]] for group in members])
        for differs, group in zip(apart, members, strict=True):
            named = _named([cells[i] for i in group])
            found.append(Family(model, data, differs, named, tuned))
    return found


def _apart_from_padding(config: Config) -> dict[str, Any]:
    """The settings of a cell without the padding and the content of the data.

    The content is compared with the baseline's later, so that changed data is reported and does not
    form a separate family.
    """
    values = config.identity("")
    del values["padding"]
    values["seeds"].pop("padding", None)  # only a random border uses it
    return values


def settings_of(family: Family) -> dict[str, Any]:
    """Setting -> value, of all settings but the padding and what is tuned for it."""
    first = next(iter(family.cells.values()))
    return _flat(_apart_from_padding(first.config), without=family.tuned)


def _flat(
    values: Mapping[str, Any], prefix: str = "", without: Iterable[str] = ()
) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.", without)
        elif f"{prefix}{key}" not in without:
            flat[f"{prefix}{key}"] = value
    return flat


def _apart(settings: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For each family, the settings in which it differs from others with its model and data."""
    keys = dict.fromkeys(key for values in settings for key in values)
    apart = [k for k in keys if len({json.dumps(v.get(k, "–")) for v in settings}) > 1]
    # Another optimizer or schedule has other options; its name is enough.
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
        apart.remove(JIT)  # it follows from the back end, which is named
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


def what_differs(cell: Cell, base: Cell, name: str) -> str | None:
    """Why two cells may not be paired; None if they differ only in the padding."""
    own, others = _circumstances(cell), _circumstances(base)
    among = [key for key, values in own.items() if len(values) > 1]
    if among:
        return "its own runs differ in " + _listed(f"{key} ({told(own[key])})" for key in among)
    in_base = [key for key in own if len(others[key]) > 1]
    if in_base:
        return f"the runs of {name} differ in " + _listed(
            f"{key} ({told(others[key])})" for key in in_base
        )
    apart = [key for key in own if unlike(own[key], others[key])]
    if apart:
        return f"differs from {name} in " + _listed(
            f"{key} ({told(own[key], others[key])})" for key in apart
        )
    return None


def _circumstances(cell: Cell) -> dict[str, list[Any]]:
    """The conditions of a cell's runs: for each entry, all values in any start of a run."""
    found: dict[str, list[Any]] = {
        key: [] for key in (*circumstances.MUST_AGREE, FINGERPRINT, PREDICTED)
    }
    for record in cell.records.values():
        starts = [circumstances.of_start(start) for start in record.starts]
        for key, value in [
            *(pair for start in starts for pair in start.items()),
            (FINGERPRINT, record.fingerprint),
            (PREDICTED, sum(r["pixels"] for r in record.results.get("error_by_distance", []))),
        ]:
            if value not in found[key]:
                found[key].append(value)
    return {key.replace("_", " "): values for key, values in found.items()}


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
