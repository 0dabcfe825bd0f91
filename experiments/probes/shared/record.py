"""Storage of measurements: with a run's results, or with an evaluation on other data."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conf.choices import PROBES
from experiments.probes.shared.subject import Measured
from experiments.run.record import files
from experiments.run.record.directory import Run


@dataclass(frozen=True)
class Record:
    """The files of measurements; each is replaced atomically, and its other content is kept.

    Attributes:
        results: a JSON file; the values go under "probes", by the probe's name.
        folder: of <name>.png, a probe's picture, and <name>.txt, the traceback of a failure.
        maps: the arrays of all probes, called <name>/<array>.
        run: the run, if these are its own results; its lock is held while they are written.
    """

    results: Path
    folder: Path
    maps: Path
    run: Run | None = None

    @classmethod
    def of_run(cls, run: Run) -> Record:
        """The record of a finished run, on its own data."""
        place = run.directory
        return cls(place / "results.json", place / "probes", place / "probes.npz", run)

    @classmethod
    def of_evaluation(cls, file: Path) -> Record:
        """The record of an evaluation on other data, whose accuracy is in `file`."""
        place = file.with_suffix("")
        return cls(file, place / "probes", place / "probes.npz")

    def keep(self, name: str, found: Measured) -> None:
        """Write the result of a probe; the values are written last, so they imply the rest.

        Raises:
            ValueError, TypeError: for values that are not finite numbers or plain text.
        """
        values = plain(found.values)
        png = files.png(found.picture) if found.picture is not None else None
        with self.run.held() if self.run else contextlib.nullcontext():
            self._replace_picture(name, png)
            self._replace_maps(name, found.maps or {})
            content = files.read_json(self.results)
            kept = {**content.get("probes", {}), name: values}
            content["probes"] = {known: kept[known] for known in PROBES if known in kept}
            files.write_json(self.results, content)

    def keep_failure(self, name: str, traceback: str) -> Path:
        """Write the traceback of a failed probe; returns its path. Earlier results are kept."""
        where = self.folder / f"{name}.txt"
        files.write(where, traceback.encode())
        return where

    def pictures(self) -> dict[str, bytes]:
        """All stored pictures as PNG, by the probe's name."""
        paths = {name: self.folder / f"{name}.png" for name in PROBES}
        return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}

    def _replace_picture(self, name: str, png: bytes | None) -> None:
        (self.folder / f"{name}.txt").unlink(missing_ok=True)
        path = self.folder / f"{name}.png"
        if png is None:
            path.unlink(missing_ok=True)
        else:
            files.write(path, png)

    def _replace_maps(self, name: str, maps: dict[str, np.ndarray]) -> None:
        kept: dict[str, np.ndarray] = {}
        if self.maps.is_file():
            stored = files.read_npz(self.maps)
            kept = {key: array for key, array in stored.items() if key.split("/")[0] != name}
        kept |= {f"{name}/{key}": array for key, array in maps.items()}
        if kept or self.maps.is_file():
            files.write_npz(self.maps, kept, compressed=True)


def plain(value: Any) -> Any:
    """The value for JSON: NumPy's numbers and arrays become Python's.

    Raises:
        ValueError: for a number that is not finite.
    """
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        raise ValueError(f"it measured {value}, which is not a finite number")
    return value
