"""The plan of a study: all its runs. It is written before the first run; other sweeps may add runs.

`<runs_dir>/<study>/study.json` has the declaration (question, baseline, primary metric, margin,
looks), the commands of the sweeps, the cells with their seeds, and when and for how many seeds they
were declared, and the combinations that make no sense.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from conf.presets import Declaration
from conf.reader import ConfigError, read
from experiments.run.record import files, provenance
from experiments.run.record.directory import Run

PLAN = "study.json"
# Settings that are no part of a configuration: two commands that differ in them plan the same cell.
NO_PART = (
    *("trainer.threads", "trainer.progress", "trainer.seeds_at_once", "data.data_dir"),
    *("data.download", "runs_dir", "device", "rerun", "probes"),
)


@dataclass(frozen=True)
class Cell:
    """All planned seeds of one configuration.

    Attributes:
        model, padding, data, backend: names for people.
        seeds: of the planned runs, in the order in which they were declared.
        signature: of the built network; cells that differ only in padding and have the same
            signature compute the same.
        alias_of: the cell that runs instead of this one.
        sources: hash of the sources with which `signature` was computed.
        overrides: that train it, without the seed.
        declared: when it was planned, in ISO 8601; None in older plans, which do not tell.
        declared_seeds: how many seeds it then had, or when it first had several.
    """

    model: str
    padding: str
    data: str
    backend: str
    seeds: list[int]
    signature: str
    alias_of: str | None = None
    sources: str = ""
    overrides: list[str] = field(default_factory=list)
    declared: str | None = None
    declared_seeds: int | None = None

    @property
    def apart_from_padding(self) -> tuple[str, ...]:
        """What it is besides its padding: names, and overrides in alphabetical order."""
        return (
            self.model,
            self.data,
            self.backend,
            *sorted(
                override
                for override in self.overrides
                if "padding" not in (key := override.partition("=")[0]) and key not in NO_PART
            ),
        )

    def declared_at(self, now: str, known: Cell | None) -> Cell:
        """This cell with its declaration: the one that is known, or that of this moment."""
        when, n = (known.declared, known.declared_seeds) if known else (now, 1)
        if n is not None and n < 2:
            n = len(self.seeds)
        return dataclasses.replace(self, declared=when, declared_seeds=n)


@dataclass(frozen=True)
class NotApplicable:
    """A combination that makes no sense and is not run, such as a causal network on images."""

    model: str
    padding: str
    data: str
    why: str


@dataclass
class Plan:
    """The content of study.json."""

    declared: Declaration = field(default_factory=Declaration)
    commands: list[str] = field(default_factory=list)
    cells: dict[str, Cell] = field(default_factory=dict)
    not_applicable: list[NotApplicable] = field(default_factory=list)

    @classmethod
    def read(cls, study: Path) -> Plan | None:
        """The plan of the study, or None if no sweep has written one.

        Raises:
            DamagedError: the file is not a valid plan.
        """
        values = files.read_json(study / PLAN)
        if values is None:
            return None
        with files.content_of(study / PLAN):
            found = cls(
                declared=read(Declaration, values["declared"]),
                commands=list(values["commands"]),
                cells={name: Cell(**cell) for name, cell in values["cells"].items()},
                not_applicable=[NotApplicable(**one) for one in values["not_applicable"]],
            )
            for name, cell in found.cells.items():
                if not all(isinstance(seed, int) for seed in cell.seeds):
                    raise ValueError(f"the seeds of {name} are not whole numbers")
                if cell.alias_of is not None and cell.alias_of not in found.cells:
                    raise ValueError(f"{name} is an alias of a cell that does not exist")
            return found

    def runs(self, study: Path) -> list[Run]:
        """All planned runs; an alias has no runs of its own."""
        return [
            Run(study / name / f"seed={seed}")
            for name, cell in self.cells.items()
            if cell.alias_of is None
            for seed in cell.seeds
        ]

    def add(self, other: Plan, *, started: bool = True) -> None:
        """Add the runs of another sweep.

        Args:
            other: its plan.
            started: whether a run of this plan has; else a padding that was tuned again replaces
                itself.

        Raises:
            ConfigError: if its declaration differs, or if a padding was tuned to another value than
                the runs that have started; its comparison would be one more.
        """
        self.check_declared(other.declared)
        for name, cell in other.cells.items() if self.declared.tuned else ():
            for earlier in self._otherwise_tuned(name, cell):
                if started:
                    raise ConfigError(
                        f"{cell.padding} was tuned again, to another value than in {PLAN} "
                        f"({earlier}), and runs of the study have started: choose another study=…"
                    )
                del self.cells[earlier]
        self.declared = other.declared
        self.commands += [line for line in other.commands if line not in self.commands]
        now = provenance.now()
        for name, cell in other.cells.items():
            known = self.cells.get(name)
            seeds = _joined(known.seeds if known else [], cell.seeds)
            self.cells[name] = dataclasses.replace(cell, seeds=seeds).declared_at(now, known)
        self.not_applicable += [n for n in other.not_applicable if n not in self.not_applicable]

    def _otherwise_tuned(self, name: str, cell: Cell) -> list[str]:
        """The planned cells that differ from this one in nothing but what is tuned."""
        return [
            known
            for known, one in self.cells.items()
            if known != name and one.padding == cell.padding and self.apart(one) == self.apart(cell)
        ]

    def check_declared(self, declared: Declaration) -> None:
        """Raise `ConfigError` for a declaration that is not the study's."""
        if self.cells and declared != self.declared:
            changed = [
                name
                for name, value in dataclasses.asdict(declared).items()
                if value != getattr(self.declared, name)
            ]
            raise ConfigError(
                f"the study was declared with another {' and '.join(changed)} ({PLAN}): use the "
                "same, or choose another study=…"
            )

    def find_aliases(self) -> None:
        """Among cells that compute the same, keep the first, with the seeds of all."""
        first: dict[str, str] = {}
        for name, cell in self.cells.items():
            kept = first.setdefault(cell.signature, name)
            alias_of = None if kept == name else kept
            self.cells[name] = dataclasses.replace(cell, alias_of=alias_of)
            seeds = _joined(self.cells[kept].seeds, cell.seeds)
            self.cells[kept] = dataclasses.replace(self.cells[kept], seeds=seeds)

    def alike(self, names: Iterable[str]) -> list[str]:
        """The cells, without aliases, that were planned and differ from these in the padding.

        The named ones are among them. Which runs are complete does not matter. Empty if the plan is
        older than these records.
        """
        among = {self.apart(self.cells[name]) for name in names if name in self.cells}
        return [
            name
            for name, cell in self.cells.items()
            if cell.alias_of is None and cell.overrides and self.apart(cell) in among
        ]

    def apart(self, cell: Cell) -> tuple[str, ...]:
        """What a cell is besides its padding and what is tuned for it."""
        tuned = tuple(f"{key}=" for key in self.declared.tuned or ())
        return tuple(part for part in cell.apart_from_padding if not part.startswith(tuned))

    def more_comparisons(self, before: Plan) -> list[str]:
        """A line for every family in which more cells are planned now than before.

        Its comparisons are decided together, so each that joins widens the intervals of the rest.
        """
        now, then = (
            Counter(
                plan.apart(c) for c in plan.cells.values() if c.alias_of is None and c.overrides
            )
            for plan in (self, before)
        )
        return [
            f"{model} on {data}: {now[family] - 1} comparisons are planned now, {then[family] - 1} "
            "before; as all are decided together, the earlier intervals become wider"
            for family in now
            if now[family] > then[family] > 1
            for model, data in [family[:2]]
        ]

    def older(self, starts: Mapping[str, Mapping[int, str]]) -> dict[str, list[int]]:
        """Cell -> the seeds of its runs that were started before it was declared.

        Args:
            starts: cell -> seed -> when the run was first started.
        """
        found = {}
        for name, runs in starts.items():
            declared = self.cells[name].declared if name in self.cells else None
            if declared is not None:
                old = [seed for seed, time in runs.items() if seconds(time) < seconds(declared)]
                if old:
                    found[name] = old
        return found

    def write(self, study: Path) -> None:
        files.write_json(study / PLAN, dataclasses.asdict(self))


def has_started(study: Path) -> bool:
    """Whether a run of the study has started, however it ended."""
    return any(study.glob("*/seed=*/status.json"))


def _joined(first: list[int], more: Iterable[int]) -> list[int]:
    """The seeds, and after them the others in ascending order."""
    return [*first, *sorted(set(more) - set(first))]


def seconds(time: str) -> float:
    """A time in ISO 8601 as seconds."""
    return datetime.fromisoformat(time).timestamp()


def locked(study: Path) -> AbstractContextManager[Any]:
    """Lock the study's plan, so that sweeps that start together add to it one after the other."""
    study.mkdir(parents=True, exist_ok=True)
    return FileLock(study / ".lock")
