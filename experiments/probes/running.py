"""Probing a finished run: each probe is measured, kept and told; one that fails stops no other."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterable
from typing import Any

import keras

from conf.schema import Config
from data import Data
from experiments import prepare, progress, terminal, tracking
from experiments.exits import FAILED, OK
from experiments.probes import registry
from experiments.probes.record import Record
from experiments.probes.subject import Measured, NotApplicableError, Subject
from models.geometry.tracing import trace
from models.padding import Padding

NOT_APPLICABLE = "not_applicable"


def subject(model: keras.Model, trained: Config, loaded: Data) -> Subject:
    """A trained network as probes see it.

    Args:
        model: with its trained weights.
        trained: the configuration it was built from.
        loaded: normalised as in training.
    """

    def rebuild(padding: Padding) -> keras.Model:
        changed = dataclasses.replace(
            trained.padding,
            amount=padding.amount,
            mode=padding.mode,
            value=padding.value,  # type: ignore[arg-type]  # of NAMED's, numbers
        )
        return prepare.build(dataclasses.replace(trained, padding=changed), loaded.spec)

    return Subject(model, trace(model), loaded, seed=trained.seed, rebuild=rebuild)


def run(names: Iterable[str], of: Subject, record: Record, *, visible: bool = True) -> int:
    """Measure, keep and tell; returns OK, or FAILED if some probe failed.

    Args:
        visible: whether a bar is shown meanwhile, on a terminal.
    """
    code = OK
    try:
        for name in progress.each(list(names), "probe", visible=visible):
            try:
                found = _measured(name, of)
                record.keep(name, found)
                terminal.say(f"{name:<14} {found.line or told(found.values)}")
            except Exception as error:  # whatever it is, the other probes are independent of it
                where = record.keep_failure(name, traceback.format_exc())
                terminal.complain(
                    f"probe {name} failed: {type(error).__name__}: {error}; "
                    f"the traceback is in {where}"
                )
                code = FAILED
    finally:
        pictures = record.pictures()
        if record.run is not None and pictures:
            tracking.show_pictures(record.run.directory, "probes", pictures)
    terminal.say(f"{'values':<14} {record.results}")
    if pictures:
        terminal.say(f"{'pictures':<14} {record.folder}")
    return code


def told(values: dict[str, Any]) -> str:
    """The plain values at the top, for a person: numbers to four digits."""
    parts = {key: value for key, value in values.items() if isinstance(value, (int, float, str))}
    return "   ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in parts.items())


def _measured(name: str, of: Subject) -> Measured:
    try:
        return registry.find(name)(of)
    except NotApplicableError as reason:
        return Measured({NOT_APPLICABLE: str(reason)}, line=f"not applicable: {reason}")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if type(value) is int else str(value)
