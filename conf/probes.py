"""The names of the probes, what each one measures, and how `probes=…` is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conf.reader import ConfigError, unknown
from models.registry import constants, why_not

FOLDER = Path(__file__).resolve().parents[1] / "experiments" / "probes"
# What each probe measures: the `MEASURES` that its file sets.
NAMES: dict[str, str] = constants(FOLDER, "MEASURES")


def chosen(value: Any) -> tuple[str, ...]:
    """The probes that `probes=…` names, in the order of `NAMES`, without repetition.

    Args:
        value: None for none, "all", a name or a list of names.

    Raises:
        ConfigError: for anything else.
    """
    if value is None:
        return ()
    if value == "all":
        return tuple(NAMES)
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)) or not all(isinstance(name, str) for name in given):
        raise ConfigError(
            f"probes takes all, a name or a list of names of {', '.join(NAMES)}; got {value!r}"
        )
    for name in given:
        if name not in NAMES:
            raise missing(name)
    return tuple(name for name in NAMES if name in given)


def missing(name: str) -> ConfigError:
    """The error for a probe that there is not, or whose file is not complete."""
    file = FOLDER / f"{name}.py"
    if name.isidentifier() and file.is_file() and (reason := why_not(file, "MEASURES")):
        return ConfigError(f"{reason}: one line for the help page")
    return unknown("probe", name, (*NAMES, "all"))
