"""The conditions besides the configuration that affect a run's last digits, and their comparison.

Rounding depends on the processor's instruction sets, on the number of threads that a sum is split
into, on whether several seeds are computed as one program, on oneDNN, on the versions of the
libraries and on the sources. Over a training this can change the accuracy by points, so runs that
differ in one of these are not paired.
"""

from __future__ import annotations

import re
from typing import Any

SOURCES = "sources"  # file -> digest; older runs have one digest of all files
# What must be equal at every start of two paired runs, in addition to what defines a family.
MUST_AGREE = (
    SOURCES,
    "versions",
    "device",
    "precision",
    "instruction_sets",
    "onednn",
    "threads",
    "seeds_at_once",
)
# Types of the values that are not text.
KINDS: dict[str, Any] = {
    SOURCES: (dict, str),
    "versions": dict,
    "onednn": bool,
    "threads": int,
    "seeds_at_once": int,
}
WITH_CORES = re.compile(r"(.*), (\d+) cores")


def of_start(start: dict[str, Any]) -> dict[str, Any]:
    """From one start of a run, as written by `provenance.describe`, the entries that must agree.

    Older runs did not record threads; they had one for each core, and the device's name contains
    the number of cores. Nor did they record seeds at once, of which they had one.
    """
    found = {key: start.get(key) for key in MUST_AGREE}
    found["seeds_at_once"] = start.get("seeds_at_once", 1)
    found[SOURCES] = start.get(SOURCES, start.get("source_hash"))
    if old := WITH_CORES.fullmatch(str(start.get("device"))):
        found["device"], found["threads"] = old[1], int(old[2])
    # A value of another type was not written by `provenance.describe` and is ignored.
    return {key: value if _is_told(key, value) else None for key, value in found.items()}


def _is_told(key: str, value: Any) -> bool:
    if key == "instruction_sets":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, KINDS.get(key, str))


def unlike(own: list[Any], others: list[Any]) -> bool:
    """Whether two runs, or groups of runs, differ in one entry; each is given by its values.

    Two networks may be built from different files; only the files that both have must be equal.
    """
    if not all(_is_files(value) for value in (*own, *others)):
        return own != others
    return any(a[file] != b[file] for a in own for b in others for file in a.keys() & b.keys())


def told(values: list[Any], others: list[Any] | None = None) -> str:
    """The differing values in words; for versions and files, only those that differ."""
    values = values + (others or [])
    if all(map(_is_files, values)):
        either = set[str]().union(*values)
        both = {name for name in either if not others or all(name in value for value in values)}
        return ", ".join(sorted(n for n in both if len({value.get(n) for value in values}) > 1))
    values = ["one digest per file" if _is_files(value) else value for value in values]
    if all(isinstance(value, list) for value in values):
        shared: set[Any] = set.intersection(*map(set, values))
        values = [" ".join(v for v in value if v not in shared) or "none" for value in values]
    if all(isinstance(value, dict) for value in values):
        names = dict.fromkeys(name for value in values for name in value)
        apart = [n for n in names if len({str(value.get(n)) for value in values}) > 1]
        values = [", ".join(f"{n} {value.get(n, 'absent')}" for n in apart) for value in values]
    return f" {'here and' if others else 'and'} ".join(str(v) for v in values) + (
        " there" if others else ""
    )


def _is_files(value: Any) -> bool:
    return isinstance(value, dict) and "train.py" in value
