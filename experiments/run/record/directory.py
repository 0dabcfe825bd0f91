"""One run: its identity, directory, lock and status.

A run's directory is `<runs_dir>/<study>/<cell>/seed=<seed>`. The cell's name is derived from the
resolved configuration and the data, so the same command finds the same run again: complete,
interrupted, being trained by another process, or new.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from conf.schema import Config, from_dict
from data.tasks import TESTED
from experiments.run import framework
from experiments.run.record import circumstances, files, provenance, source_files
from experiments.run.record.files import DamagedError

if TYPE_CHECKING:
    import numpy as np

    from models.geometry.findings.finding import Finding

RUNNING, COMPLETED, FAILED, INTERRUPTED = "RUNNING", "COMPLETED", "FAILED", "INTERRUPTED"
STATES = (RUNNING, COMPLETED, FAILED, INTERRUPTED)


class Claimed(Exception):
    """Another process is training this run."""


class RunFailed(Exception):
    """A run that was claimed and failed; the status in its directory is FAILED."""


class Run:
    """A run's directory and the files that record its state."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.checkpoint = directory / "checkpoint.npz"

    @classmethod
    def of(cls, study: Path, cell: str, seed: int) -> Run:
        """The run with this seed in a cell of a study."""
        return cls(study / cell / f"seed={seed}")

    @property
    def cell(self) -> str:
        """The name shared by all seeds of this configuration."""
        return self.directory.parent.name

    @property
    def told(self) -> dict[str, Any]:
        """status.json, the state of the run; empty if there is none that can be read."""
        return _readable(self.directory / "status.json") or {}

    @property
    def status(self) -> str | None:
        return self.told.get("status")

    @property
    def complete(self) -> bool:
        """Whether the run has ended and written its results."""
        return self.status == COMPLETED and self.results is not None

    @property
    def results(self) -> dict[str, Any] | None:
        """results.json, or None if there is none that can be read."""
        results = _readable(self.directory / "results.json")
        return results if results and _is_tested(results) else None

    def damage(self) -> DamagedError | None:
        """The first damaged file among those that determine the state of the run."""
        if not self.directory.is_dir():  # no run yet, or a path that `check_free` refuses
            return None
        try:
            status, results, meta = (
                files.read_json(self.directory / name)
                for name in ("status.json", "results.json", "meta.json")
            )
        except DamagedError as damage:
            return damage
        if status is not None and status.get("status") not in STATES:
            return DamagedError(self.directory / "status.json", "it holds no status")
        if results is not None and not _is_tested(results):
            return DamagedError(
                self.directory / "results.json", "it holds no measure of the test split"
            )
        if meta is not None and not _are_starts(meta.get("starts")):
            return DamagedError(self.directory / "meta.json", "it does not hold the run's starts")
        return None

    def settings(self) -> Config:
        """The configuration that the run was trained with.

        Raises:
            DamagedError: config.json is missing or not a configuration.
        """
        path = self.directory / "config.json"
        values = files.read_json(path)
        if values is None:
            raise DamagedError(path, "it is missing")
        with files.content_of(path):
            return from_dict(values)

    def not_probed(self, names: Iterable[str]) -> list[str]:
        """The probes among `names` that have not measured the run."""
        return [name for name in names if name not in (self.results or {}).get("probes", {})]

    def changed_since(self) -> tuple[list[str], list[str]]:
        """In what the stored run differs from what would run today.

        Returns:
            The source files that differ, that of the model first; "sources" where the run does not
            know its files. And what else does: versions, device, instruction_sets, onednn.
        """
        starts = (files.read_json(self.directory / "meta.json") or {}).get("starts") or [{}]
        settings = self.settings()
        name = settings.model.name
        sources = source_files.of_run(
            name, settings.data.source, settings.data.name, settings.padding.modes
        )
        then, today = starts[-1], provenance.today(settings.backend)
        known = circumstances.of_start(then)
        changed = [key for key, value in today.items() if known[key] not in (None, value)]
        if not (kept := then.get("sources", {})):
            return ["sources"], changed
        apart = [path for path in {*kept, *sources} if kept.get(path) != sources.get(path)]
        return sorted(apart, key=lambda path: (path != source_files.of_model(name), path)), changed

    def check_free(self) -> None:
        """Raise `Claimed` if another process holds the run, OSError if it cannot be written."""
        files.check_writable(self.directory)
        if self.directory.exists():
            with self._claimed():
                pass

    @contextlib.contextmanager
    def claim(
        self, settings: dict[str, Any], start: dict[str, Any], *, rerun: bool
    ) -> Iterator[None]:
        """Lock the run: RUNNING inside the block, then COMPLETED, INTERRUPTED or FAILED.

        The operating system holds the lock and releases it when the process ends in any way.

        Args:
            settings: for config.json.
            start: the result of `provenance.describe` for this start.
            rerun: whether a complete run is trained again.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._claimed():
            if self.complete and not rerun:
                raise Claimed(f"{self.directory} was completed by another process just now")
            if rerun and (self.status in (COMPLETED, FAILED) or self.damage()):
                self._start_over()
            for leftover in self.directory.glob(".*.part"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            files.write_json(self.directory / "config.json", settings)
            self._add_to_meta(start)
            self._set(RUNNING)
            try:
                yield
            except KeyboardInterrupt:
                self._note(INTERRUPTED)
                raise
            except Exception as error:
                if framework.INTERRUPTED.is_set():  # which other code turned into another error
                    self._note(INTERRUPTED)
                    raise KeyboardInterrupt from error
                noted = self._note(FAILED, error=_line(error), traceback=traceback.format_exc())
                raise RunFailed(f"{_line(error)}; {noted}") from error
            self._set(COMPLETED)
            self.checkpoint.unlink(missing_ok=True)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of the lint in the network; empty for older runs."""
        return files.read_json(self.directory / "findings.json", list) or []

    @property
    def layers(self) -> list[dict[str, Any]]:
        """The rows of the network's geometry."""
        return files.read_json(self.directory / "geometry.json", list) or []

    def write_geometry(self, layers: list[dict[str, Any]], findings: list[Finding]) -> None:
        files.write_json(self.directory / "geometry.json", layers)
        files.write_json(self.directory / "findings.json", [one.to_dict() for one in findings])

    def write_metrics(self, history: list[dict[str, Any]]) -> None:
        files.write_csv(self.directory / "metrics.csv", history)

    def predictions(self, epoch: int | None = None) -> Path:
        """The file of the predictions on the test split, of the end or after an earlier epoch."""
        return self.directory / f"predictions{'' if epoch is None else f'-{epoch}'}.npz"

    def write_predictions(
        self, predictions: dict[str, np.ndarray], epoch: int | None = None
    ) -> None:
        files.write_npz(self.predictions(epoch), predictions, compressed=True)

    def record(
        self,
        model: Any,
        predictions: dict[str, np.ndarray] | None,
        results: dict[str, Any],
        normalisation: dict[str, Any],
    ) -> None:
        """Write the files of a finished run; results.json is last, so it implies all others."""
        if predictions is not None:
            self.write_predictions(predictions)
        with tempfile.TemporaryDirectory(".part", ".model.", self.directory) as folder:
            model.save(Path(folder) / "model.keras")
            os.replace(Path(folder) / "model.keras", self.directory / "model.keras")
        files.write_json(self.directory / "data.json", normalisation)
        files.write_json(self.directory / "results.json", results)

    def held(self) -> AbstractContextManager[Any]:
        """Lock a finished run for a moment, to add to its files; waits until it is free."""
        return FileLock(self.directory / ".lock")

    @contextlib.contextmanager
    def _claimed(self) -> Iterator[None]:
        lock = FileLock(self.directory / ".lock", blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise Claimed(f"{self.directory} is being trained by another process") from None
        try:
            yield
        finally:
            lock.release()

    def _add_to_meta(self, start: dict[str, Any]) -> None:
        meta = _readable(self.directory / "meta.json") or {}
        before = meta["starts"] if _are_starts(meta.get("starts")) else []
        meta["starts"] = [*before, start]
        files.write_json(self.directory / "meta.json", meta)

    def _start_over(self) -> None:
        """Keep the last result under another name, and delete the checkpoint."""
        self.checkpoint.unlink(missing_ok=True)
        self._set(RUNNING)
        meta = _readable(self.directory / "meta.json") or {}
        told = [meta.get("earlier"), meta.get("starts")]
        earlier = [start for starts in told if _are_starts(starts) for start in starts or ()]
        # The earlier starts belong to results that no longer count.
        files.write_json(self.directory / "meta.json", {"starts": [], "earlier": earlier})
        (self.directory / "probes.npz").unlink(missing_ok=True)
        for tested in self.directory.glob("predictions-*.npz"):
            tested.unlink()
        shutil.rmtree(self.directory / "probes", ignore_errors=True)
        number = 1 + sum(1 for _ in self.directory.glob("results-*.json"))
        with contextlib.suppress(FileNotFoundError):
            last = self.directory / f"results-{number}.json"
            os.replace(self.directory / "results.json", last)

    def _set(self, status: str, **more: Any) -> None:
        content = {"status": status, "time": provenance.now(), "pid": os.getpid(), **more}
        files.write_json(self.directory / "status.json", content)

    def _note(self, status: str, **more: Any) -> str:
        """Set a status if the disk allows it; says where it is written, or why it is not."""
        where = self.directory / "status.json"
        try:
            self._set(status, **more)
        except OSError as refusal:
            return f"{where} cannot be written either ({refusal.strerror})"
        return f"the traceback is in {where}"


def _is_tested(results: dict[str, Any]) -> bool:
    """Whether there is a measure of the test split, or None, as with trainer.test=false."""
    test = next((results[name] for name in TESTED if name in results), "missing")
    return files.is_number(test) or (test is None and files.is_number(results.get("epochs")))


def _readable(path: Path) -> dict[str, Any] | None:
    """A JSON file's content, or None if the file is missing or damaged."""
    try:
        return files.read_json(path)
    except DamagedError:
        return None


def _are_starts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(start, dict) for start in value)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
