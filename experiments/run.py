"""One run: its identity, directory, lock and status.

A run lives in `<runs_dir>/<study>/<cell>/seed=<seed>`. Its cell is the content of the resolved
configuration and of the data, so the same command finds the same run again: complete, interrupted,
in the hands of another process, or new.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from conf.schema import Config
from experiments import files, framework, provenance

if TYPE_CHECKING:
    import numpy as np

    from models.geometry.findings import Finding

RUNNING, COMPLETED, FAILED, INTERRUPTED = "RUNNING", "COMPLETED", "FAILED", "INTERRUPTED"


class Claimed(Exception):
    """Another living process is training this run."""


class RunFailed(Exception):
    """A run that was claimed and did not end well; its directory says FAILED."""


class Run:
    """A run's directory and the files in it that say where it stands."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.checkpoint = directory / "checkpoint.npz"

    @classmethod
    def of(cls, config: Config, fingerprint: str) -> Run:
        """The run that `config` and the data with this fingerprint identify."""
        study = Path(config.runs_dir).expanduser() / config.study
        return cls(study / config.cell(fingerprint) / f"seed={config.seed}")

    @property
    def cell(self) -> str:
        """The name shared by all seeds of this configuration."""
        return self.directory.parent.name

    @property
    def status(self) -> str | None:
        return (files.read_json(self.directory / "status.json") or {}).get("status")

    @property
    def complete(self) -> bool:
        """Whether the run is over and has left its results."""
        return self.status == COMPLETED and self.results is not None

    @property
    def results(self) -> dict[str, Any] | None:
        return files.read_json(self.directory / "results.json")

    def not_probed(self, names: Iterable[str]) -> list[str]:
        """Of these probes, those that have not measured the run."""
        return [name for name in names if name not in (self.results or {}).get("probes", {})]

    def changed_since(self) -> list[str]:
        """In what the stored run differs from what would run today: sources, versions, device."""
        starts = (files.read_json(self.directory / "meta.json") or {}).get("starts") or [{}]
        today = provenance.today(starts[-1].get("backend", "tensorflow"))
        return [name for name, value in today.items() if starts[-1].get(name) != value]

    def check_free(self) -> None:
        """Raise `Claimed` if another process holds the run."""
        if self.directory.exists():
            with self._lock():
                pass

    @contextlib.contextmanager
    def claim(self, config: Config) -> Iterator[None]:
        """Hold the run: RUNNING inside the block, then COMPLETED, INTERRUPTED or FAILED.

        The lock is the system's: it falls with the process, however that dies.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if self.complete and not config.rerun:
                raise Claimed(f"{self.directory} was completed by another process just now")
            if config.rerun and self.status in (COMPLETED, FAILED):
                self._start_over()
            for leftover in self.directory.glob(".*.part"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            files.write_json(self.directory / "config.json", config.to_dict())
            self._add_to_meta(config)
            self._set(RUNNING)
            try:
                yield
            except KeyboardInterrupt:
                self._set(INTERRUPTED)
                raise
            except Exception as error:
                if framework.INTERRUPTED.is_set():  # which foreign code made an error of its own
                    self._set(INTERRUPTED)
                    raise KeyboardInterrupt from error
                self._set(FAILED, error=_line(error), traceback=traceback.format_exc())
                where = self.directory / "status.json"
                raise RunFailed(f"{_line(error)}; the traceback is in {where}") from error
            self._set(COMPLETED)
            self.checkpoint.unlink(missing_ok=True)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the lint found in the network; nothing for a run from before there was one."""
        return files.read_json(self.directory / "findings.json") or []

    def write_geometry(self, layers: list[dict[str, Any]], findings: list[Finding]) -> None:
        files.write_json(self.directory / "geometry.json", layers)
        files.write_json(self.directory / "findings.json", [one.to_dict() for one in findings])

    def write_metrics(self, history: list[dict[str, Any]]) -> None:
        files.write_csv(self.directory / "metrics.csv", history)

    def record(
        self,
        model: Any,
        predictions: dict[str, np.ndarray],
        results: dict[str, Any],
        normalisation: dict[str, Any],
    ) -> None:
        """Write what a finished run leaves; results.json comes last, so it vouches for the rest."""
        files.write_npz(self.directory / "predictions.npz", predictions, compressed=True)
        with tempfile.TemporaryDirectory(".part", ".model.", self.directory) as folder:
            model.save(Path(folder) / "model.keras")
            os.replace(Path(folder) / "model.keras", self.directory / "model.keras")
        files.write_json(self.directory / "data.json", normalisation)
        files.write_json(self.directory / "results.json", results)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold a finished run for a moment, to add to its files; waits until it is free."""
        with self._lock(wait=True):
            yield

    @contextlib.contextmanager
    def _lock(self, *, wait: bool = False) -> Iterator[IO[str]]:
        with open(self.directory / ".lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Claimed(f"{self.directory} is being trained by another process") from None
            yield lock

    def _add_to_meta(self, config: Config) -> None:
        meta = files.read_json(self.directory / "meta.json") or {"starts": []}
        meta["starts"].append(provenance.describe(config))
        files.write_json(self.directory / "meta.json", meta)

    def _start_over(self) -> None:
        """Keep the last result under another name, and resume nothing."""
        self.checkpoint.unlink(missing_ok=True)
        self._set(RUNNING)
        (self.directory / "probes.npz").unlink(missing_ok=True)
        shutil.rmtree(self.directory / "probes", ignore_errors=True)
        earlier = sum(1 for _ in self.directory.glob("results-*.json"))
        with contextlib.suppress(FileNotFoundError):
            last = self.directory / f"results-{earlier + 1}.json"
            os.replace(self.directory / "results.json", last)

    def _set(self, status: str, **more: Any) -> None:
        content = {"status": status, "time": provenance.now(), "pid": os.getpid(), **more}
        files.write_json(self.directory / "status.json", content)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
