"""What a study declares, and from a sweep or a preset in conf/sweep to the list of its runs."""

from __future__ import annotations

import dataclasses
import itertools
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import OmegaConf

from conf.commandline import ROOT, parse, preset
from conf.reader import ConfigError, read, unknown
from data.tasks.metrics import METRICS, NAMES, is_metric
from models import messages


@dataclass(frozen=True)
class Declaration:
    """What a study declares before its first run.

    Attributes:
        question: the question of the study.
        baseline: the padding that the others are compared with.
        metric: the primary metric, as in `data.tasks.metrics`. By default the measure of the task
            on the test split.
        margin: of equivalence, in points or the metric's own unit: smaller differences are
            negligible.
        looks: increasing numbers of seeds after which is looked; None for one look at all seeds.
        contrasts: differences of differences that are compared too, as a list of {padding: [valid],
            between: {model: [small_cnn, inception]}}: what `valid` does to the first network less
            what it does to the second, where all else is equal.
        tuned: setting -> values, of which every padding gets the one that is best for it on
            validation data.
    """

    question: str | None = None
    baseline: str = "same"
    metric: str = METRICS[0]
    margin: float = 0.3
    looks: Any = None
    contrasts: Any = None
    tuned: Any = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Declaration:
        """The declaration among the values under `sweep`, whose other entries list the runs."""
        own = {name: values[name] for name in DECLARED if name in values}
        found = read(Declaration, own, "sweep")
        found.check()
        return found

    def check(self) -> None:
        """Raise `ConfigError` for a declaration that cannot be meant."""
        if not self.margin > 0:
            raise ConfigError(f"sweep.margin must be positive; got {self.margin:g}")
        looks = [2] if self.looks is None else self.looks
        whole = isinstance(looks, list) and looks and all(type(n) is int and n > 1 for n in looks)
        if not (whole and looks == sorted(set(looks))):
            raise ConfigError(
                "sweep.looks must be increasing numbers of seeds above 1, as [8,12,20]; got "
                f"{looks!r}"
            )
        if not is_metric(self.metric):
            known = messages.unknown("sweep.metric", self.metric, NAMES)
            raise ConfigError(f"{known}; also after an epoch, as {METRICS[0]}@3")
        if not _are_contrasts(self.contrasts):
            raise ConfigError(
                "sweep.contrasts must be a list of {padding: [valid], between: {model: [small_cnn, "
                "inception]}}, between two models or two data sets, nothing named twice; got "
                f"{self.contrasts!r}"
            )
        if self.tuned is not None and not _is_grid(self.tuned):
            raise ConfigError(
                "sweep.tuned must be settings with two or more different values each, as "
                f"{{optimizer.learning_rate: [0.001, 0.003, 0.01]}}; got {self.tuned!r}"
            )


DECLARED = tuple(field.name for field in dataclasses.fields(Declaration))


def _are_contrasts(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(map(_is_contrast, value)))


def _is_contrast(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"padding", "between"}:
        return False
    between = value["between"]
    return _are_names(value["padding"]) and (
        isinstance(between, dict)
        and len(between) == 1
        and set(between) <= {"model", "data"}
        and all(_are_names(two) and len(two) == 2 for two in between.values())
    )


def _are_names(value: Any) -> bool:
    """Whether it is a list of different names."""
    texts = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return texts and 0 < len(value) == len(set(value))


def _is_grid(value: Any) -> bool:
    return isinstance(value, dict) and all(
        "." in str(key)
        and isinstance(choices, list)
        and all(isinstance(choice, str | int | float) for choice in choices)
        and len({str(choice) for choice in choices}) == len(choices) > 1
        for key, choices in value.items()
    )


@dataclass(frozen=True)
class Preset(Declaration):
    """The content of a file in conf/sweep.

    Attributes:
        seeds: in the syntax of an override: range(10), or 0,1,2.
        common: overrides of every part.
        parts: overrides; each part is a sweep of its own.
    """

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
