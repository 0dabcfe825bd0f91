"""The page of GPU results: one line per section, from the JSON files in its folder.

    python -m experiments.benchmarks.gpu.gpu_page [FOLDER]      default: experiments/results/gpu

Rehearsals and measurements on a CPU count as not measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from experiments import terminal
from experiments.benchmarks.gpu import sections
from experiments.benchmarks.gpu.gpu_record import MEASURED, told
from experiments.benchmarks.options import RESULTS
from experiments.report.pages.document import Block, Heading, Items, Paragraph, Table, markdown
from experiments.run.record import files
from experiments.run.record.tables import Marked

NOT_YET = "not measured yet"
COLUMNS = ("section", "what", "goal", "found", "device", "n", "minutes", "date", "commit")
REFERENCE = "cpu_reference.json"
SHORT = 10


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=RESULTS / "gpu", metavar="FOLDER")
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        terminal.complain(f"{folder} is not a folder")
        return 2
    files.write(folder / "README.md", overview(folder).encode())
    terminal.say(str(folder / "README.md"))
    return 0


def overview(folder: Path) -> str:
    """The page of a folder, in Markdown."""
    found = {name: files.read_json(folder / f"{name}.json") for name in sections.names()}
    measured = {name for name, content in found.items() if content and on_a_gpu(content)}
    lines = [_line(name, found[name] if name in measured else None) for name in found]
    blocks: list[Block] = [
        Heading("On a GPU", 1),
        Paragraph(
            Marked(
                "The results of `python -m experiments.benchmarks.gpu`, one line per section; "
                "[docs/gpu.md](../../../docs/gpu.md) explains the sections and how to run them. "
                "This page is written by `python -m experiments.benchmarks.gpu.gpu_page`."
            )
        ),
        Table(COLUMNS, lines, right=(6,)),
        Heading("Reference on the CPU"),
        *_reference(files.read_json(folder / REFERENCE)),
    ]
    return markdown(blocks)


def on_a_gpu(content: dict[str, Any]) -> bool:
    """Whether a section's file holds results, or a failure, on a GPU."""
    return content["device_kind"] == "gpu" and not content["tiny"]


def _line(name: str, content: dict[str, Any] | None) -> list[str]:
    about = sections.section(name)
    if content is None:
        return [name, about.TITLE, about.GOAL or "–", NOT_YET, *["–"] * 5]
    link = Marked(f"[{name}]({name}.md)")
    commit = (content["commit"] or "–")[:SHORT]
    minutes = f"{content['minutes']:.1f}" if content["status"] == MEASURED else "–"
    about_it = [content["device"], content["n"] or "–", minutes, content["date"][:10], commit]
    return [link, about.TITLE, about.GOAL or "–", told(content), *about_it]


def _reference(found: dict[str, Any] | None) -> list[Block]:
    command = Marked("Command: `python -m experiments.benchmarks.gpu.cpu_reference`.")
    if found is None or not found["cells"]:
        return [Paragraph(f"Accuracies on the CPU, same seeds: {NOT_YET}."), Paragraph(command)]
    lines = [
        f"{name}: {', '.join(f'{100 * a:.2f}' for a in cell['accuracy'].values())} % "
        f"(seeds {', '.join(cell['accuracy'])}; {cell['minutes']:.1f} minutes)"
        for name, cell in found["cells"].items()
    ]
    stated = f"machine: {found['device']}, {found['cores']} cores; date: {found['date']}"
    return [Items([*lines, stated]), Paragraph(command)]


if __name__ == "__main__":
    sys.exit(terminal.call(main))
