"""Reference accuracies on the CPU for those on a GPU: same back end, same seeds.

    python -m experiments.benchmarks.gpu.cpu_reference [--cells default causal] [--out FOLDER]

Trains on JAX in float32 with seeds 0 to 4 and writes FOLDER/cpu_reference.json, cell by cell:
63 minutes for the default network and 6 for the causal one, on one core that other work shared.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from conf import device
from experiments import terminal
from experiments.benchmarks.gpu import gpu_page, processes
from experiments.benchmarks.options import RESULTS, Parser
from experiments.run import framework
from experiments.run.record import files, provenance
from experiments.terminal import FAILED, OK

SEEDS = (0, 1, 2, 3, 4)
# The settings of train.py for each cell, in addition to its defaults.
CELLS: dict[str, tuple[str, ...]] = {
    "default": (),
    "causal": ("model=causal_conv1d", "padding=causal", "data=mnist1d"),
}
HOURS = 3.0  # after which a sweep is stopped


def main(arguments: list[str]) -> int:
    parser = Parser("gpu.cpu_reference", __doc__)
    parser.add_argument(
        "--cells", nargs="+", choices=CELLS, default=list(CELLS), metavar="CELL", help="default all"
    )
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="OVERRIDE", help="of train.py; for a trial"
    )
    parser.add_out("gpu")
    given = parser.parse_args(arguments)
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    found = files.read_json(given.out / gpu_page.REFERENCE) or {"cells": {}}
    for name in given.cells:
        with terminal.busy(f"{name}: seeds {', '.join(map(str, SEEDS))}"):
            try:
                cell = train(CELLS[name], given.set)
            except RuntimeError as error:
                terminal.complain(f"{name}: {error}")
                return FAILED
        found = {**circumstances(), "cells": {**found["cells"], name: cell}}
        files.write_json(given.out / gpu_page.REFERENCE, found)
        terminal.say(f"{name}: {cell['accuracy']}")
    return OK


def read() -> dict[str, Any]:
    """The committed cells by name; empty if nothing was measured."""
    found = files.read_json(RESULTS / "gpu" / gpu_page.REFERENCE)
    return found["cells"] if found else {}


def circumstances() -> dict[str, Any]:
    """Machine, versions, commit and date."""
    git = provenance.git()
    return {
        "device": device.find("jax").name,
        "cores": device.cores(),
        "versions": framework.versions(),
        "commit": git["git"],
        "changed": git["git_dirty"],
        "date": provenance.now(),
    }


def train(cell: tuple[str, ...], more: list[str]) -> dict[str, Any]:
    """Train a cell with every seed; its overrides, data, accuracies (from 0 to 1) and minutes."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        own = [f"seed={','.join(map(str, SEEDS))}", "study=reference", f"runs_dir={folder}/runs"]
        own += ["backend=jax", "trainer.precision=float32", "trainer.progress=false"]
        program = [sys.executable, str(processes.CHECKOUT / "train.py"), "-m", *cell, *more, *own]
        log = Path(folder, "log")
        ended = processes.run(program, seconds=3600 * HOURS, log=log, group=True)
        if ended.code != 0:
            raise RuntimeError(ended.why())
        runs = sorted(Path(folder, "runs", "reference").glob("*/seed=*"))
        accuracy = {
            run.name.removeprefix("seed="): files.read_json(run / "results.json")["test_accuracy"]
            for run in runs
        }
        fingerprint = files.read_json(runs[0] / "data.json")["fingerprint"]
    return {
        "overrides": [*cell, *more],
        "fingerprint": fingerprint,
        "accuracy": accuracy,
        "minutes": round((time.monotonic() - begun) / 60, 1),
    }


if __name__ == "__main__":
    sys.exit(terminal.call(main))
