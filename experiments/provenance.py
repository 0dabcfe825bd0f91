"""Where a result comes from: sources, versions, machine."""

from __future__ import annotations

import functools
import hashlib
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conf import device
from conf.schema import Config
from experiments import framework

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("train.py", "conf", "data", "experiments", "models")
# What only reads results, looks at finished runs or measures speed: it changes no training.
READERS = (
    *("a_a.py", "benchmarks", "report.py", "reporting", "statistics", "overview.py"),
    *("probes", "reevaluate.py"),
)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@functools.cache
def source_hash() -> str:
    """A digest of the code that trains, comments and all."""
    digest = hashlib.sha256()
    for source in SOURCES:
        path = ROOT / source
        for file in filter(_trains, sorted(path.rglob("*.py")) if path.is_dir() else [path]):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _trains(file: Path) -> bool:
    return file.relative_to(ROOT).parts[:2] not in {("experiments", name) for name in READERS}


def describe(config: Config) -> dict[str, Any]:
    """What a result has to carry for someone to trust it or to repeat it."""
    here = device.find(config.backend)
    return {
        "time": now(),
        "command": shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
        **git(),
        **today(config.backend),
        "backend": config.backend,
        "device_kind": here.kind,
        "device_bfloat16": here.bfloat16,
        "precision": config.trainer.precision,
        "jit": config.trainer.jit,
        "seeds": {"seed": config.seed, **config.seeds.derived(config.seed)},
    }


def today(backend: str) -> dict[str, Any]:
    """The part of `describe` in which two runs must agree to be compared to the last digit."""
    return {
        "source_hash": source_hash(),
        "versions": framework.versions(),
        "device": device.find(backend).name,
    }


@functools.cache
def git() -> dict[str, Any]:
    """The checkout's commit, and whether it has changes; None without git."""

    def ask(*words: str) -> str | None:
        try:
            answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        except OSError:
            return None
        return answer.stdout.strip() if answer.returncode == 0 else None

    changes = ask("status", "--porcelain")
    return {
        "git": ask("rev-parse", "HEAD"),
        "git_dirty": bool(changes) if changes is not None else None,
    }
