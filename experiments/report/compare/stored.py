"""Reads the files of one run and checks the values that a report uses.

If anything is wrong with a file, only its run is left out: each function raises `BrokenRun`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from conf.schema import Config, from_dict
from data.tasks import TESTED
from data.tasks.metrics import METRICS, VALIDATED
from experiments.run.record import files

# Settings in which the runs of one cell may differ.
PER_RUN = ("seed", "device", "study", "sweep", "runs_dir", "rerun", "evaluate", "probes")
NUMBERS = (*METRICS, "epochs", "parameters", "macs")
GROUPS = ("accuracy_by_margin", "accuracy_by_subset")


class BrokenRun(Exception):
    """A complete run cannot be read completely; the message is one line."""


def read(directory: Path, name: str, reader: Callable[[Path], Any] = files.read_json) -> Any:
    """Read a file of a run, by default a JSON object, which is None if the file is missing.

    Raises:
        BrokenRun: the file is damaged, or it is missing and not a JSON file.
    """
    try:
        return reader(directory / name)
    except FileNotFoundError:
        raise BrokenRun(f"incomplete: {name} is missing") from None
    except files.DamagedError as damage:
        raise BrokenRun(f"{name} cannot be read: {damage.why}") from None
    except Exception as error:  # readers of a damaged file raise many kinds of errors
        raise BrokenRun(f"{name} cannot be read: {_line(error)}") from None


def config(directory: Path, known: dict[str, Config]) -> Config:
    """The checked configuration, without the settings in which runs of a cell differ.

    Args:
        known: configurations that were already checked; the function adds to it.
    """
    values = read(directory, "config.json")
    if values is None:
        raise BrokenRun("incomplete: config.json is missing or empty")
    values = {key: value for key, value in values.items() if key not in PER_RUN}
    key = json.dumps(values, sort_keys=True)
    if key not in known:
        try:
            known[key] = from_dict(values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BrokenRun(f"config.json cannot be read: {_line(error)}") from None
    return known[key]


def results(directory: Path) -> dict[str, Any]:
    """results.json; every entry that a report uses is checked to be a number or null."""
    found = read(directory, "results.json")
    if (
        not found
        or not any(name in found for name in TESTED)
        or not any(map(files.is_number, map(found.get, (*TESTED, *VALIDATED))))
    ):
        raise BrokenRun("incomplete: results.json is missing or holds no test result")
    for key in NUMBERS:
        if not _may_be_number(found.get(key)):
            raise BrokenRun(f"results.json cannot be read: {key} is not a number")
    for key in GROUPS:
        parts = found.get(key, {})
        if not (isinstance(parts, dict) and all(map(_is_part, parts.values()))):
            raise BrokenRun(f"results.json cannot be read: {key} holds no accuracies")
    for key in (f"{name}_at" for name in TESTED):
        tested = found.get(key, {})
        if not (isinstance(tested, dict) and all(map(files.is_number, tested.values()))):
            raise BrokenRun(f"results.json cannot be read: {key} holds no measures")
    rings = found.get("error_by_distance", [])
    if not (isinstance(rings, list) and all(map(_is_ring, rings))):
        raise BrokenRun("results.json cannot be read: error_by_distance holds no errors")
    classes = found.get("per_class_accuracy", {})
    if not (isinstance(classes, dict) and all(map(files.is_number, classes.values()))):
        raise BrokenRun("results.json cannot be read: per_class_accuracy holds no accuracies")
    if not isinstance(found.get("final_map_size", []), list):
        raise BrokenRun("results.json cannot be read: final_map_size is not a list")
    return dict(found)


def starts(directory: Path) -> list[dict[str, Any]]:
    """The entries of meta.json for each start of the run; empty if there is no such file."""
    found = (read(directory, "meta.json") or {}).get("starts", [])
    if not isinstance(found, list) or not all(map(_is_start, found)):
        raise BrokenRun("meta.json cannot be read: it does not hold the run's starts")
    return found


def curve(directory: Path) -> list[dict[str, float]]:
    """metrics.csv, one row per epoch."""
    return list(read(directory, "metrics.csv", _curve))


def _curve(path: Path) -> list[dict[str, float]]:
    with open(path, newline="") as file:
        head, *rows = csv.reader(file)
    if "epoch" not in head:
        raise ValueError("it has no column epoch")
    return [
        {name: float(value) for name, value in zip(head, row, strict=True) if value} for row in rows
    ]


def _may_be_number(value: Any) -> bool:
    return value is None or files.is_number(value)


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) and files.is_number(value.get("accuracy"))


def _is_ring(value: Any) -> bool:
    names = ("distance", "error", "pixels")
    return isinstance(value, Mapping) and all(files.is_number(value.get(n)) for n in names)


def _is_start(value: Any) -> bool:
    words = ("time", "command", "git")
    return isinstance(value, dict) and all(isinstance(value.get(w) or "", str) for w in words)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
