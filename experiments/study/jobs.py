"""From a sweep to its jobs: cells with their seeds, aliases, combinations that make no sense."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

import models
from conf import commandline
from conf.choices import probes_of
from conf.reader import ConfigError, DoesNotFitError
from conf.schema import Config, from_dict
from experiments import terminal
from experiments.run import framework, inputs, prepare_data
from experiments.run.record import files, source_files
from experiments.run.record.directory import Run
from experiments.study import comparable, workers
from experiments.study.plan import Cell, NotApplicable, Plan, has_started, locked

NO_SENSE = (DoesNotFitError, models.DoesNotFitError)
Compose = Callable[[list[str]], DictConfig]


@dataclass(frozen=True)
class Job:
    """A planned run.

    Attributes:
        overrides: that train it.
        probes: to measure it with.
        at_once: how many seeds of its cell may be trained at once.
    """

    run: Run
    overrides: list[str]
    probes: tuple[str, ...] = ()
    at_once: int = 1


@dataclass
class Sweep:
    """The runs that one command asks for.

    Attributes:
        jobs: in the order of the command, without repetition.
        studies: the folders of their studies.
        not_applicable: combinations that are left out.
        aliases: number of combinations that are represented by another.
        warnings: about runs that cannot be compared with the other runs of their study.
        notes: about the data, without repetition.
        of: the overrides of every run that was asked for -> the run that is made for it.
    """

    jobs: list[Job] = field(default_factory=list)
    studies: list[Path] = field(default_factory=list)
    not_applicable: list[NotApplicable] = field(default_factory=list)
    aliases: int = 0
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    of: dict[tuple[str, ...], Run] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """The location of the runs of one configuration, and their number of threads."""

    study: Path
    cell: str
    threads: int
    config: Config


def plan(runs: list[list[str]], compose: Compose, command: str) -> Sweep:
    """Check every run, write the plans of the studies, and return the runs to do.

    Args:
        runs: overrides of each run.
        compose: makes a run's configuration from its overrides.
        command: the command line, as the plan will record it.

    Raises:
        ConfigError, data.DataError, models.ModelError: for an invalid run; then nothing is written.
    """
    configurations: dict[tuple[str, ...], list[list[str]]] = defaultdict(list)
    for run in runs:
        configurations[_of_the_cell(run)].append(run)
    plans: dict[Path, Plan] = defaultdict(Plan)
    cells: dict[tuple[str, ...], Place | None] = {}
    notes: dict[str, None] = {}
    with terminal.busy("planning"):
        for key, group in configurations.items():
            cells[key] = _add(plans, list(key), group, compose, command, notes)
    if not any(cells.values()):
        reasons = dict.fromkeys(n.why for own in plans.values() for n in own.not_applicable)
        raise ConfigError("; ".join(reasons))
    sweep = Sweep(studies=list(plans), notes=list(notes))
    for study, own in plans.items():
        with locked(study):
            before = Plan.read(study) or Plan()
            whole = Plan.read(study) or Plan()
            whole.add(own, started=has_started(study))
            whole.find_aliases()
            whole.write(study)
            sweep.notes += whole.more_comparisons(before)
        plans[study] = whole
        sweep.not_applicable += own.not_applicable
        sweep.aliases += sum(whole.cells[name].alias_of is not None for name in own.cells)
    found: dict[Path, Job] = {}
    for run in runs:
        if place := cells[_of_the_cell(run)]:
            for job in _jobs(plans[place.study], place, run):
                found.setdefault(job.run.directory, job)
                sweep.of[tuple(run)] = job.run
    sweep.jobs = list(found.values())
    sweep.notes += [
        f"{place.cell}: one seed after the other, because the seed of a random border is part of "
        "the network; seeds.padding=… gives all the same border"
        for place in cells.values()
        if place and place.config.trainer.seeds_at_once != 1 and _has_seed_in_layers(place.config)
    ]
    if not all(job.run.complete for job in sweep.jobs):
        sweep.warnings = _warnings(place for place in cells.values() if place)
    return sweep


def check_recorded(config: Config, launcher: DictConfig) -> None:
    """Raise `DoesNotFitError` for a declared metric that runs on the data will not record."""
    framework.start(
        config.backend, comparable.threads(config, workers.count(launcher)), config.device
    )
    fingerprint, _ = prepare_data.identity(config)
    loaded = inputs.load(config.data, fingerprint, config.trainer)
    comparable.check_recorded(config.sweep.metric, loaded)


def announce(sweep: Sweep) -> None:
    """Before a sweep: print the number of runs, and the combinations that make no sense."""
    done = sum(job.run.complete for job in sweep.jobs)
    parts = [f"{terminal.counted(len(sweep.jobs), 'run')}, {done} of them complete"]
    if sweep.aliases:
        alone = sweep.aliases == 1
        parts.append(
            f"{terminal.counted(sweep.aliases, 'cell')} compute{'s' * alone} the same as another "
            f"and {'is its alias' if alone else 'are its aliases'}"
        )
    if sweep.not_applicable:
        parts.append(f"{terminal.counted(len(sweep.not_applicable), 'combination')} not applicable")
    terminal.say("; ".join(parts))
    for note in sweep.notes:
        terminal.say(note)
    for one in sweep.not_applicable:
        terminal.say(f"not applicable: {one.model}, {one.padding}, {one.data}: {one.why}")
    for line in sweep.warnings:
        terminal.say(line)


def _add(
    plans: dict[Path, Plan],
    overrides: list[str],
    group: list[list[str]],
    compose: Compose,
    command: str,
    notes: dict[str, None],
) -> Place | None:
    """Plan the runs of a configuration; returns their place, or None if it makes no sense."""
    composed = compose(group[0])
    chosen, launcher = composed.hydra.runtime.choices, composed.hydra.launcher
    with open_dict(composed):
        del composed["hydra"]
    values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    study = Path(values["runs_dir"]).expanduser() / str(values["study"])
    files.check_writable(study)
    try:
        config = from_dict(values)
        seeds = [from_dict({**values, "seed": seed}).seed for seed in _seeds(group)]
        mine, trainer = plans[study], config.trainer
        mine.declared, mine.commands = config.sweep, [command]
        fingerprint, name = prepare_data.identity(config)
        known = (Plan.read(study) or Plan()).cells.get(name)
        traced = source_files.of_signature(
            config.model.name, config.data.source, config.data.name, config.padding.modes
        )
        sources = source_files.digest(traced)
        threads = comparable.threads(config, workers.count(launcher))
        if known and known.sources == sources:
            signature = known.signature
        else:
            signature = _signature(config, fingerprint, threads, notes)
    except NO_SENSE as reason:
        padding = " ".join([chosen.padding, *(o for o in overrides if o.startswith("padding."))])
        plans[study].not_applicable.append(
            NotApplicable(chosen.model, padding, chosen.data, terminal.plain(reason))
        )
        return None
    at_once = f", {trainer.seeds_at_once} seeds at once" * (trainer.seeds_at_once != 1)
    notes[f"engine {trainer.engine}{at_once}"] = None
    mine.cells[name] = Cell(
        model=config.model.name,
        padding=config.padding.label,
        data=config.data.label,
        backend=config.backend,
        seeds=seeds or [config.seed],
        signature=signature,
        sources=sources,
        overrides=overrides,
    )
    return Place(study, name, threads, config)


def _warnings(places: Iterable[Place]) -> list[str]:
    """One warning per network, data set and back end of a study with runs made differently."""
    kinds = {
        (place.study, place.config.model.name, place.config.data.name, place.config.backend): place
        for place in places
    }
    said = (comparable.warning(place.config, place.threads) for place in kinds.values())
    return list(dict.fromkeys(line for line in said if line))


def _signature(config: Config, fingerprint: str, threads: int, notes: dict[str, None]) -> str:
    """A digest of all that determines a run's result except its seed; adds notes on its data."""
    framework.start(config.backend, threads, config.device)
    from models.geometry.tracing.signature import signature

    framework.fresh(precision=config.trainer.precision, seed=0)
    loaded = inputs.load(config.data, fingerprint, config.trainer)
    comparable.check_recorded(config.sweep.metric, loaded)
    notes.update(dict.fromkeys(inputs.said_of(loaded, config.trainer)))
    rest = config.identity(fingerprint, len(loaded.train))
    seed = inputs.derived(config.seed, config.seeds)["padding"]
    network = inputs.build(config.model, config.padding, loaded.spec, padding_seed=seed)
    rest["padding"] = signature(network)
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()[:12]


def _jobs(plan: Plan, place: Place, run: list[str]) -> list[Job]:
    """The jobs of one list of overrides, in its cell or in the cell of which it is an alias.

    That is the run of its seed or, without one, all runs of the cell.
    """
    name = plan.cells[place.cell].alias_of or place.cell
    seeds = _seeds([run]) or plan.cells[place.cell].seeds
    overrides = [*plan.cells[name].overrides, f"trainer.threads={place.threads}"]
    asked = [override for override in run if override.startswith("probes=")]
    probes = probes_of(*(one.value() for one in commandline.parse(asked[-1:]))) if asked else ()
    at_once = 1 if _has_seed_in_layers(place.config) else int(place.config.trainer.seeds_at_once)
    return [
        Job(
            Run(place.study / name / f"seed={s}"),
            [*overrides, *asked, f"seed={s}"],
            probes,
            at_once,
        )
        for s in seeds
    ]


def _has_seed_in_layers(config: Config) -> bool:
    """Whether the networks of its seeds differ in more than their variables: in random borders."""
    return config.padding.draws and config.seeds.padding is None


def _of_the_cell(run: list[str]) -> tuple[str, ...]:
    return tuple(override for override in run if not override.startswith(("seed=", "probes=")))


def _seeds(runs: list[list[str]]) -> list[Any]:
    """The seeds of the runs, as Hydra reads them; the configuration checks them."""
    given = [override for run in runs for override in run if override.startswith("seed=")]
    return [override.value() for override in commandline.parse(given)]
