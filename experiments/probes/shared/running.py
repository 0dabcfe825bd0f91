"""Probing a finished run: each result is stored and printed; a failure does not stop the others."""

from __future__ import annotations

import dataclasses
import importlib
import traceback
from collections.abc import Iterable
from typing import Any

import keras

from conf.choices import PROBES, missing_probe
from conf.padding_config import PaddingConfig
from conf.reader import ConfigError
from conf.schema import Component
from data import Data
from data.tasks import CLASSIFICATION
from experiments import terminal
from experiments.probes.shared.record import Record, plain
from experiments.probes.shared.subject import Measured, NotApplicableError, Probe, Subject
from experiments.run import inputs
from experiments.run.loop import progress
from experiments.run.record.board import show_pictures
from experiments.terminal import FAILED, OK
from models.geometry.glance import glance
from models.geometry.tracing.graph import TraceError
from models.padding import Padding

NOT_APPLICABLE = "not_applicable"


def subject(
    model: keras.Model,
    loaded: Data,
    network: Component,
    trained: PaddingConfig,
    seed: int,
    padding_seed: int,
    task: str = CLASSIFICATION,
) -> Subject:
    """A trained network in the form for probes.

    Args:
        model: with its trained weights.
        loaded: its data, normalised as in training.
        network: its architecture and options.
        trained: the padding with which it was trained.
        seed: of the run, for random choices of the probes.
        padding_seed: for random borders.
        task: for which it was trained.

    Raises:
        DoesNotFitError: the network gives images, but no part of the data's target images.
    """

    def rebuild(padding: Padding) -> keras.Model:
        changed = dataclasses.replace(
            trained,
            amount=padding.amount,
            mode=padding.mode,
            value=padding.value,  # type: ignore[arg-type]  # of NAMED's, numbers
        )
        return inputs.build(network, changed, loaded.spec, padding_seed=padding_seed)

    framed = inputs.framed(loaded, model)
    return Subject(model, glance(model).rows, framed, seed=seed, rebuild=rebuild, task=task)


def run(names: Iterable[str], of: Subject, record: Record, *, visible: bool = True) -> int:
    """Measure, store and print; returns OK, or FAILED if one of the probes failed.

    Args:
        visible: whether to show a progress bar on a terminal.
    """
    code = OK
    try:
        for name in progress.each(list(names), "probe", visible=visible):
            try:
                found = _measured(name, of)
                record.keep(name, found)
                terminal.say(f"{name:<14} {found.line or told(found.values)}")
            except Exception as error:  # any error; the other probes are independent of it
                where = record.keep_failure(name, traceback.format_exc())
                terminal.complain(
                    f"probe {name} failed: {type(error).__name__}: {error}; "
                    f"the traceback is in {where}"
                )
                code = FAILED
    finally:
        pictures = record.pictures()
        if record.run is not None and pictures:
            show_pictures(record.run.directory, "probes", pictures)
    terminal.say(f"{'values':<14} {record.results}")
    if pictures:
        terminal.say(f"{'pictures':<14} {record.folder}")
    return code


def told(values: dict[str, Any]) -> str:
    """The top-level values as text: numbers to four digits."""
    values = plain(values)
    parts = {key: value for key, value in values.items() if isinstance(value, (int, float, str))}
    return "   ".join(f"{key.replace('_', ' ')} {_short(value)}" for key, value in parts.items())


def _measured(name: str, of: Subject) -> Measured:
    try:
        found = find(name)(of)
        if not isinstance(found, Measured):
            raise TypeError(f"probe returns Measured(values={{…}}), not {type(found).__name__}")
        return found
    except (NotApplicableError, TraceError) as reason:
        return Measured({NOT_APPLICABLE: str(reason)}, line=f"not applicable: {reason}")


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if type(value) is int else str(value)


def find(name: str) -> Probe:
    """Import and return the probe of this name.

    Raises:
        ConfigError: if there is none.
    """
    if name not in PROBES:
        raise missing_probe(name)
    probe: Probe | None = getattr(
        importlib.import_module(f"experiments.probes.{name}"), "probe", None
    )
    if probe is None:
        raise ConfigError(
            f"experiments/probes/{name}.py has no function probe(subject: Subject) -> Measured"
        )
    return probe
