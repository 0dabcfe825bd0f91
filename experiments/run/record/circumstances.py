"""What decides a run's last digits beside its configuration, and whether two runs share it.

Rounding depends on the processor's instruction sets, on the number of threads that a sum is split
into, on oneDNN, on the versions of the libraries and on the sources. Training makes points of it,
so runs that differ in one of these are not paired.
"""

from __future__ import annotations

import re
from typing import Any

SOURCES = "sources"  # file -> digest; one digest of all files for runs from before there were those
# What every start of two runs must share, beside all that makes a family.
MUST_AGREE = (
    SOURCES,
    "versions",
    "device",
    "precision",
    "instruction_sets",
    "onednn",
    "threads",
)
# Of their values, where it is not text.
KINDS: dict[str, Any] = {SOURCES: (dict, str), "versions": dict, "onednn": bool, "threads": int}
WITH_CORES = re.compile(r"(.*), (\d+) cores")


def of_start(start: dict[str, Any]) -> dict[str, Any]:
    """Of one start of a run, as `provenance.describe` wrote it, what must agree.

    Runs from before threads were recorded had one for each core, whose number the device's name
    held.
    """
    found = {key: start.get(key) for key in MUST_AGREE}
    found[SOURCES] = start.get(SOURCES, start.get("source_hash"))
    if old := WITH_CORES.fullmatch(str(start.get("device"))):
        found["device"], found["threads"] = old[1], int(old[2])
    # What is of another type was not written by `provenance.describe`: it tells nothing.
    return {key: value if _is_told(key, value) else None for key, value in found.items()}


def _is_told(key: str, value: Any) -> bool:
    if key == "instruction_sets":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, KINDS.get(key, str))


def unlike(own: list[Any], others: list[Any]) -> bool:
    """Whether two runs, or groups of them, differ in one thing; each given as its unlike values.

    Two networks may come from other files: those that both have must be alike.
    """
    if not all(_is_files(value) for value in (*own, *others)):
        return own != others
    return any(a[file] != b[file] for a in own for b in others for file in a.keys() & b.keys())


def told(values: list[Any], others: list[Any] | None = None) -> str:
    """Values that differ, in words; of versions and files those alone that do."""
    values = values + (others or [])
    if all(map(_is_files, values)):
        either = set[str]().union(*values)
        both = {name for name in either if not others or all(name in value for value in values)}
        return ", ".join(sorted(n for n in both if len({value.get(n) for value in values}) > 1))
    values = ["one digest a file" if _is_files(value) else value for value in values]
    if all(isinstance(value, list) for value in values):
        shared: set[Any] = set.intersection(*map(set, values))
        values = [" ".join(v for v in value if v not in shared) or "no more" for value in values]
    if all(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        apart = [n for n in names if len({str(value.get(n)) for value in values}) > 1]
        values = [", ".join(f"{n} {value.get(n, 'absent')}" for n in apart) for value in values]
    return f" {'here and' if others else 'and'} ".join(str(v) for v in values) + (
        " there" if others else ""
    )


def _is_files(value: Any) -> bool:
    return isinstance(value, dict) and "train.py" in value
