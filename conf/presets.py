"""From the overrides of a sweep, or of a preset in conf/sweep, to the list of its runs."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from conf.commandline import ROOT, parse, preset
from conf.reader import ConfigError, read, unknown


@dataclass(frozen=True)
class Preset:
    """The content of a file in conf/sweep besides its declaration.

    Attributes:
        seeds: in the syntax of an override: range(10), or 0,1,2.
        common: overrides of every part.
        parts: overrides; each part is a sweep of its own.
    """

    question: str | None
    baseline: str
    metric: str
    margin: float
    looks: Any = None
    seeds: str | None = None
    common: str = ""
    parts: Any = ()


def expand(overrides: list[str]) -> list[list[str]]:
    """One list of overrides for each run, in order and without repetition.

    A preset's own overrides come first; one that is given in addition replaces the preset's in
    every part. `overrides` contains no flags and none of Hydra's own settings.

    Raises:
        ConfigError: for an unknown preset, or overrides that cannot be read.
    """
    name = preset(overrides)
    if name is None:
        return _product(overrides)
    found = load(name)
    seeds = [f"seed={found.seeds}"] if found.seeds else []
    runs: dict[tuple[str, ...], None] = {}
    for part in found.parts:
        own = [f"study={name}", *seeds, *shlex.split(found.common), *shlex.split(part)]
        runs |= dict.fromkeys(map(tuple, _product([*own, *overrides])))
    return [list(run) for run in runs]


def load(name: str) -> Preset:
    """A preset of conf/sweep; `ConfigError` if it does not exist."""
    files = {file.stem: file for file in (ROOT / "sweep").glob("*.yaml")}
    if name not in files:
        raise unknown("sweep", name, files)
    values: Any = OmegaConf.to_container(OmegaConf.load(files[name]))
    return read(Preset, values, where=f"sweep={name}")


def _product(overrides: list[str]) -> list[list[str]]:
    """Every combination; if an override is given twice, the last value counts, in first place."""
    choices: dict[str, list[str]] = {}
    for override in parse(overrides):
        key = override.get_key_element()
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                raise ConfigError(f"{override.input_line}: a sweep takes a,b or range(3)")
            choices[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        else:
            choices[key] = [f"{key}={override.get_value_element_as_str()}"]
    return [list(run) for run in itertools.product(*choices.values())]
