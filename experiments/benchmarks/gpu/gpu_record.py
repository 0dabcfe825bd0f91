"""The results of a section: rows, notes and provenance, as JSON and as Markdown.

They are written after every row, so that a section that is stopped keeps its results so far.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conf import device
from experiments.benchmarks.gpu import sections
from experiments.report.pages.document import Block, Entry, Heading, Items, Paragraph, Table
from experiments.report.pages.document import markdown as written
from experiments.run import framework
from experiments.run.record import files, provenance, source_files
from experiments.run.record.tables import Marked

Row = dict[str, Any]
MEASURED, FAILED, STOPPED, SKIPPED = "measured", "failed", "stopped", "skipped"
COMMIT = "PADZOO_COMMIT"  # environment variable for a copy of the checkout without its .git
ALSO = ("jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "torch")
QUERY = ("nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader")


class Record:
    """The results of one section while it runs; `write` replaces the whole file."""

    def __init__(self, folder: Path, name: str, *, tiny: bool, command: str) -> None:
        self.folder, self.name = folder, name
        self._begun = time.monotonic()
        self.content: dict[str, Any] = {
            "section": name,
            "status": STOPPED,
            "why": "",
            "summary": "",
            "n": "",
            "tiny": tiny,
            "command": command,
            **circumstances(name),
            "minutes": 0.0,
            "tables": {},
            "notes": [],
        }

    def row(self, table: str, **values: Any) -> None:
        """Add a row to a table and save."""
        self.content["tables"].setdefault(table, []).append(values)
        self.save()

    def note(self, sentence: str) -> None:
        """Add a sentence and save."""
        self.content["notes"].append(sentence)
        self.save()

    def rows(self, table: str) -> list[Row]:
        """The rows of a table so far."""
        return self.content["tables"].get(table, [])

    def say(self, *, n: str, summary: str) -> None:
        """State the number of measurements and the result, in one line each."""
        self.content |= {"n": n, "summary": summary}
        self.save()

    def save(self) -> None:
        """Save the results so far, in the file of an unfinished section."""
        self.content["minutes"] = round((time.monotonic() - self._begun) / 60, 2)
        files.write_json(unfinished(self.folder, self.name), self.content)

    def finish(self) -> None:
        """Write the section's two files."""
        self.save()
        settle(self.folder, {**self.content, "status": MEASURED})


def unfinished(folder: Path, name: str) -> Path:
    """The file of a running section."""
    return folder / f"{name}.unfinished.json"


def settle(folder: Path, content: dict[str, Any]) -> bool:
    """Write <section>.json and <section>.md; returns whether they were written.

    A failure does not replace a measurement.
    """
    name = content["section"]
    unfinished(folder, name).unlink(missing_ok=True)
    earlier = files.read_json(folder / f"{name}.json")
    if content["status"] != MEASURED and earlier and earlier["status"] == MEASURED:
        return False
    files.write_json(folder / f"{name}.json", content)
    files.write(folder / f"{name}.md", page(content).encode())
    return True


def without_result(folder: Path, name: str, status: str, why: str, *, tiny: bool) -> bool:
    """Record a section that failed, was stopped or skipped, with its results; see `settle`."""
    partial = files.read_json(unfinished(folder, name))
    if partial is None:
        partial = Record(folder, name, tiny=tiny, command="").content
    return settle(folder, {**partial, "status": status, "why": why})


def circumstances(name: str) -> dict[str, Any]:
    """Device, driver, versions, commit, sources and date."""
    here = device.find("jax")
    gpu = _query() if here.kind == "gpu" else []
    git = provenance.git()
    versions = framework.versions()
    for library in ALSO:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[library] = importlib.metadata.version(library)
    module = sections.section(name).__name__
    used = source_files.of_modules((module, *source_files.TRAINING))
    return {
        "device": here.name,
        "device_kind": here.kind,
        "driver": gpu[1] if len(gpu) == 3 else None,
        "memory": gpu[2] if len(gpu) == 3 else None,
        "cores": device.cores(),
        "versions": versions,
        "commit": git["git"] or os.environ.get(COMMIT),
        "changed": git["git_dirty"],
        "sources": source_files.digest(used),
        "date": provenance.now(),
    }


def _query() -> list[str]:
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=20, check=True)
        return [part.strip() for part in answer.stdout.splitlines()[0].split(",")]
    except (OSError, subprocess.SubprocessError, IndexError):
        return []


def page(content: dict[str, Any]) -> str:
    """A section's page in Markdown."""
    about = sections.section(content["section"])
    versions = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
    driver = f", driver {content['driver']}, {content['memory']}" if content["driver"] else ""
    commit = (content["commit"] or "unknown") + " and uncommitted changes" * bool(
        content["changed"]
    )
    stated = [
        Marked(f"command: `{content['command']}`") if content["command"] else "command: none ran",
        f"device: {content['device']}{driver}; {content['cores']} CPU cores",
        f"versions: {versions}",
        f"commit: {commit}; digest of the sources: {content['sources']}",
        f"n: {content['n'] or '–'}; minutes: {content['minutes']:.1f}; date: {content['date']}",
    ]
    blocks: list[Block] = [Heading(about.TITLE, 1), Paragraph(about.ASKS)]
    if about.GOAL:
        blocks.append(Paragraph(f"Goal: {about.GOAL}."))
    if content["tiny"]:
        blocks.append(Paragraph("A rehearsal on a CPU at tiny size: its figures mean nothing."))
    blocks += [Items(stated), Paragraph(told(content))]
    for title, rows in content["tables"].items():
        blocks += [Heading(title), _table(rows)]
    if content["notes"]:
        blocks += [Heading("Notes"), Items(content["notes"])]
    return written(blocks)


def told(content: dict[str, Any]) -> str:
    """The result of a section in one line."""
    if content["status"] == MEASURED:
        return content["summary"] or "measured"
    return f"{content['status']}: {content['why']}"


def _table(rows: Sequence[Row]) -> Table:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    right = [i for i, c in enumerate(columns) if not any(isinstance(r.get(c), str) for r in rows)]
    titles = [column.replace("_", " ") for column in columns]
    return Table(titles, [[_cell(row.get(c)) for c in columns] for row in rows], right)


def _cell(value: Any) -> Entry:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
