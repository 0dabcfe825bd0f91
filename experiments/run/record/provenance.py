"""The provenance of a result: sources, versions, machine."""

from __future__ import annotations

import functools
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf import device
from experiments.run import framework
from experiments.run.record import source_files

if TYPE_CHECKING:
    from conf.schema import TrainerConfig


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def describe(
    backend: str, trainer: TrainerConfig, seeds: dict[str, int], sources: dict[str, str]
) -> dict[str, Any]:
    """The record that is needed to trust or to repeat a result.

    Args:
        backend: the running back end.
        trainer: settings of the run.
        seeds: one for each source of randomness, and "seed".
        sources: from `source_files.of_run`.
    """
    here = device.find(backend)
    return {
        "time": now(),
        "command": shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        **git(),
        "source_hash": source_files.digest(sources),
        "sources": sources,
        **today(backend),
        "processor": device.processor().name,
        "threads": framework.threads() if here.kind == "cpu" else None,
        "backend": backend,
        "device_kind": here.kind,
        "device_bfloat16": here.bfloat16,
        "precision": trainer.precision,
        "jit": trainer.jit,
        "seeds_at_once": trainer.seeds_at_once,
        "seeds": seeds,
    }


def today(backend: str, wanted: str = "auto") -> dict[str, Any]:
    """The part of `describe` that affects rounding and is known before a back end runs.

    Args:
        wanted: the device, as for `device.find`.
    """
    return {
        "versions": framework.versions(),
        "device": device.find(backend, wanted).name,
        "instruction_sets": list(device.processor().instruction_sets),
        "onednn": framework.onednn(backend),
    }


@functools.cache
def git() -> dict[str, Any]:
    """The checkout's commit, and whether it has changes; None without git."""

    def ask(*words: str) -> str | None:
        try:
            answer = subprocess.run(
                ["git", *words], cwd=source_files.ROOT, capture_output=True, text=True
            )
        except OSError:
            return None
        return answer.stdout.strip() if answer.returncode == 0 else None

    changes = ask("status", "--porcelain")
    return {
        "git": ask("rev-parse", "HEAD"),
        "git_dirty": bool(changes) if changes is not None else None,
    }
