"""A study's plan: every run that is meant to exist, written before the first, and added to.

`<runs_dir>/<study>/study.json` holds what was declared (question, baseline, primary metric,
margin), the sweeps that fed it, the cells with their seeds, and what makes no sense.
"""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from conf.reader import ConfigError, read
from conf.schema import Declaration
from experiments.run.record import files
from experiments.run.record.directory import Run

PLAN = "study.json"


@dataclass(frozen=True)
class Cell:
    """All planned seeds of one configuration.

    Attributes:
        model, padding, data, backend: what people call it by.
        seeds: of the runs that are meant to exist.
        signature: of the network as it is built; cells that differ in padding alone and have one
            signature compute the same.
        alias_of: the cell that runs in this one's stead.
        sources: hash of the sources that `signature` was traced with.
        overrides: that train it, but for the seed.
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


@dataclass(frozen=True)
class NotApplicable:
    """A combination that makes no sense, as a causal stack on images: nothing to run."""

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
        """The study's plan; None where no sweep has made one.

        Raises:
            DamagedError: for a file that is none of ours.
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
                    raise ValueError(f"the seeds of {name} are no whole numbers")
                if cell.alias_of is not None and cell.alias_of not in found.cells:
                    raise ValueError(f"{name} is an alias of nothing")
            return found

    def runs(self, study: Path) -> list[Run]:
        """Every run that is meant to exist; an alias has none of its own."""
        return [
            Run(study / name / f"seed={seed}")
            for name, cell in self.cells.items()
            if cell.alias_of is None
            for seed in cell.seeds
        ]

    def add(self, other: Plan) -> None:
        """Take in what another sweep plans.

        Raises:
            ConfigError: if it declares something else.
        """
        if self.cells and other.declared != self.declared:
            changed = [
                name
                for name, value in dataclasses.asdict(other.declared).items()
                if value != getattr(self.declared, name)
            ]
            raise ConfigError(
                f"the study was declared with another {' and '.join(changed)}: keep to it, or "
                "choose another study=…"
            )
        self.declared = other.declared
        self.commands += [line for line in other.commands if line not in self.commands]
        for name, cell in other.cells.items():
            known = self.cells.get(name)
            seeds = {*cell.seeds, *(known.seeds if known else ())}
            self.cells[name] = dataclasses.replace(cell, seeds=sorted(seeds))
        self.not_applicable += [n for n in other.not_applicable if n not in self.not_applicable]

    def find_aliases(self) -> None:
        """Of the cells that compute the same, let the first one run, with all their seeds."""
        first: dict[str, str] = {}
        for name, cell in self.cells.items():
            kept = first.setdefault(cell.signature, name)
            alias_of = None if kept == name else kept
            self.cells[name] = dataclasses.replace(cell, alias_of=alias_of)
            seeds = sorted({*self.cells[kept].seeds, *cell.seeds})
            self.cells[kept] = dataclasses.replace(self.cells[kept], seeds=seeds)

    def write(self, study: Path) -> None:
        files.write_json(study / PLAN, dataclasses.asdict(self))


def locked(study: Path) -> AbstractContextManager[Any]:
    """Hold the study's plan: sweeps that start at once add to it one after the other."""
    study.mkdir(parents=True, exist_ok=True)
    return FileLock(study / ".lock")
