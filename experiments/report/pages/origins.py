"""The provenance of a study's numbers: commands, machines, versions, and times."""

from __future__ import annotations

import statistics
from typing import Any

from experiments.report.compare.families import families
from experiments.report.compare.next_look import without_paths
from experiments.report.compare.reading import Record, Study
from experiments.report.pages.document import Block, Heading, Items, Paragraph, Table, number
from experiments.terminal import counted


def blocks(study: Study) -> list[Block]:
    """The last sections of the report; only the very last differs between identical trainings."""
    records = [record for cell in study.cells for record in cell.records.values()]
    return [
        Heading("Commands"),
        Items(commands(study, records), code=True),
        Heading("Environment"),
        Items(_environments(study)),
        Heading("Times"),
        Paragraph(
            "Medians over the runs of a cell. They depend on the machine and its load, and differ "
            "each time a run is trained."
        ),
        *_declared(study),
        _times(study),
    ]


def _declared(study: Study) -> list[Block]:
    """When the cells were declared, if the plan says so."""
    times = sorted(
        {c.declared for c in study.plan.cells.values() if c.declared} if study.plan else ()
    )
    return [Paragraph(f"Declared: {', '.join(times)}.")] if times else []


def commands(study: Study, records: list[Record]) -> list[str]:
    """The commands recorded in the plan or the runs, without paths of the machine."""
    named = study.plan.commands if study.plan else ()
    told = named or [start["command"] for record in records for start in record.starts]
    return list(dict.fromkeys(without_paths(command) for command in told))


def _environments(study: Study) -> list[str]:
    """A line for all runs under the same conditions, with their cells if there are other lines."""
    found: dict[str, dict[str, list[int]]] = {}
    every: dict[str, list[int]] = {}
    for family in families(study.cells, study.tuned):
        for name, cell in family.cells.items():
            label = f"{family.title}, {name}"
            every[label] = list(cell.records)
            for seed, record in cell.records.items():
                for line in dict.fromkeys(_circumstances(record)):
                    found.setdefault(line, {}).setdefault(label, []).append(seed)
    if len(found) < 2:
        return list(found)
    return [
        f"{'; '.join(_seeds(label, own, every[label]) for label, own in cells.items())}: {line}"
        for line, cells in found.items()
    ]


def _seeds(label: str, own: list[int], every: list[int]) -> str:
    """A cell, with the seeds that are meant if they are not all."""
    if own == every:
        return label
    return f"{label} (seed{'s' * (len(own) > 1)} {', '.join(map(str, own))})"


def _circumstances(record: Record) -> list[str]:
    """A line describing the conditions of a record."""
    return [
        f"{start.get('device')}{_threads(start)}; {record.config.backend}, {start.get('precision')}"
        f"{', XLA' if start.get('jit') else ''}; "
        + ", ".join(f"{name} {version}" for name, version in start.get("versions", {}).items())
        + f"; sources {start.get('source_hash')}, commit {(start.get('git') or 'unknown')[:12]}"
        + (" with changes" if start.get("git_dirty") else "")
        + f"; data {record.fingerprint}"
        for start in record.starts
    ]


def _threads(start: dict[str, Any]) -> str:
    """The number of threads; in older runs, the device's name has the number of cores instead."""
    return f", {counted(start['threads'], 'thread')}" if start.get("threads") else ""


def _times(study: Study) -> Table:
    columns = ["cell", "padding", "n", "step, ms", "images/s", "set-up, s", "minutes", "trained"]
    rows = []
    for family in families(study.cells, study.tuned):
        for name, cell in family.cells.items():
            records = list(cell.records.values())
            seconds = _median(records, "train_seconds")
            days = sorted({start["time"][:10] for r in records for start in r.starts})
            rows.append(
                [
                    family.title,
                    name,
                    number(len(records), "d"),
                    number(_median(records, "step_ms"), ".1f"),
                    number(_median(records, "images_per_second"), ",.0f"),
                    number(_median(records, "setup_seconds"), ".1f"),
                    number(None if seconds is None else seconds / 60, ".1f"),
                    " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "–",
                ]
            )
    return Table(columns, rows)


def _median(records: list[Record], key: str) -> float | None:
    values = [r.results[key] for r in records if r.results.get(key) is not None]
    return statistics.median(values) if values else None
