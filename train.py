"""Train a network under a padding: compose -> data -> model -> fit -> evaluate -> record."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import data
import models
from conf import commandline, device
from conf.reader import ConfigError
from conf.schema import Config, from_dict
from experiments import framework, terminal
from experiments.run import Claimed, Run, RunFailed
from models.padding import PaddingError

BAD_INPUT = (ConfigError, data.DataError, models.ModelError, PaddingError)
FOUND, OK, FAILED, BAD, STOPPED = -1, 0, 1, 2, 130  # exit codes; FOUND, at once, exits with 0


def train(config: Config) -> int:
    """One run from its configuration to its results; returns OK, or FOUND if it is complete.

    Heavy imports wait until they are needed: a complete run answers before Keras loads.
    """
    begun = time.perf_counter()
    fingerprint = data.fingerprint(config.data)
    if fingerprint is None:
        with terminal.busy(f"preparing {config.data.name}, once"):
            framework.start(config.backend)
            data.ensure(config.data)
        fingerprint = data.fingerprint(config.data)
    run = Run.of(config, str(fingerprint))
    if run.complete and not config.rerun:
        terminal.already_complete(run, config.runs_dir)
        return FOUND
    run.check_free()

    with terminal.busy(f"starting {config.backend}"):
        framework.start(config.backend)
        from experiments import activations, evaluation, optimizers, progress, tracking, training
        from models.geometry.trace import trace

    # data
    with terminal.busy(f"reading {config.data.name}"):
        loaded = data.load(config.data)
    if loaded.streams:
        terminal.say(loaded.streams)
    seeds = config.seeds.derived(config.seed)

    if config.trainer.early_stopping is not None and loaded.validation is None:
        raise ConfigError("trainer.early_stopping needs a validation split: data.validation > 0")

    # model
    framework.fresh(precision=config.trainer.precision, seed=seeds["init"])
    model = build(config, loaded.spec)
    layers = [row.to_dict() for row in trace(model)]
    epochs, steps = training.plan(config.trainer, len(loaded.train))
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=steps)
    training.compile_model(model, optimizer, config.trainer)
    terminal.headline(config, device.find(config.backend).name)

    with run.claim(config), tracking.Board(run.directory, config, run.cell) as board:
        run.write_geometry(layers)
        board.model(model.to_json(), layers)
        setup_seconds = time.perf_counter() - begun

        # fit
        bar = progress.Bar(
            epochs=epochs,
            steps=steps,
            batch_size=config.trainer.batch_size,
            visible=config.trainer.progress,
        )

        def on_epoch(history: list[training.Row]) -> None:
            run.write_metrics(history)
            board.epoch(history)
            bar.epoch(history)

        with bar:
            history = training.fit(
                model,
                loaded,
                config.trainer,
                augment=config.data.augment,
                seeds=seeds,
                checkpoint_path=run.checkpoint,
                progress=bar,
                on_epoch=on_epoch,
            )

        # evaluate: the test split is seen once, here
        predictions = evaluation.predict(model, loaded.test)
        results = {
            **evaluation.accuracies(predictions, loaded.spec),
            "validation_accuracy": history[-1].get("validation_accuracy"),
            "epochs": len(history),
            **evaluation.cost(layers),
            **training.speed(history),
            "setup_seconds": setup_seconds,
            "train_seconds": sum(row["train_seconds"] for row in history),
        }

        # record
        maps = activations.means(model, layers, loaded.test.x)
        board.finish(results, activations.picture(maps))
        learned = training.without_optimizer(model)
        run.record(learned, predictions, results, dataclasses.asdict(loaded.spec))
    terminal.summary(results, layers, run.directory, config.runs_dir)
    return OK


def build(config: Config, spec: data.Spec) -> Any:
    """The configured network for data of this shape."""
    return models.build(
        config.model.name,
        input_shape=spec.input_shape,
        num_classes=spec.num_classes,
        padding=config.padding.padding,
        overrides=config.padding.overrides,
        pools=config.padding.pools,
        **config.model.options,
    )


def attempt(config: Config, overrides: list[str]) -> int:
    """`train` or evaluate, with every expected end told in one line."""
    try:
        if config.evaluate is not None:
            from experiments import reevaluate

            return reevaluate.main(config, overrides)
        return train(config)
    except Claimed as elsewhere:
        terminal.say(str(elsewhere))
        return FOUND
    except RunFailed as failure:
        terminal.complain(f"failed: {failure}")
        return FAILED


class Session:
    """One call of the program: the job that Hydra runs, once or many times, and what came of it."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.sweep = terminal.Sweep(commandline.check(arguments))
        self.code = OK
        self.studies: set[Path] = set()

    def job(self, composed: DictConfig) -> None:
        overrides = list(HydraConfig.get().overrides.task)
        many = HydraConfig.get().mode == hydra.types.RunMode.MULTIRUN
        if many:
            self.sweep.begin()
        begun = time.perf_counter()
        try:
            values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
            config = from_dict(values)
            code = attempt(config, overrides)
            self.studies.add(Path(config.runs_dir).expanduser() / config.study)
        except (*BAD_INPUT, OmegaConfBaseException) as mistake:
            which = f"{' '.join(overrides)}: " if many else ""
            terminal.complain(which + str(commandline.explain(mistake, self.arguments)))
            code = BAD
        except Exception:  # a bug of ours: show it, and let a sweep's other runs go on
            traceback.print_exc()
            code = FAILED
        if code == OK:
            self.sweep.trained(time.perf_counter() - begun)
        self.code = max(self.code, code)

    def close(self) -> None:
        """Draw what the studies that were touched have found so far."""
        if not self.studies:
            return
        from experiments import overview

        for study in self.studies:
            if picture := overview.write(study):
                terminal.say(f"{'all runs so far':<14} {picture}")


def _interrupt(*_: Any) -> None:
    framework.INTERRUPTED.set()
    raise KeyboardInterrupt


def main() -> int:
    if {"-h", "--help"} & set(sys.argv):
        print(commandline.help_page())
        return OK
    before = {
        number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    framework.INTERRUPTED.clear()
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra raises, and the one line is ours
    arguments = sys.argv[1:]
    try:
        arguments = sys.argv[1:] = commandline.readable(arguments)
        session = Session(arguments)
        run = hydra.main(version_base="1.3", config_path="conf", config_name="config")
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PADZOO_SWEEP_DIR"] = folder
            run(session.job)()
        session.close()
        return max(session.code, OK)
    except (*BAD_INPUT, HydraException, OmegaConfBaseException) as mistake:
        terminal.complain(str(commandline.explain(mistake, arguments)))
    except KeyboardInterrupt:
        terminal.complain("interrupted; the same command goes on from the last finished epoch")
        return STOPPED
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return BAD


if __name__ == "__main__":
    sys.exit(main())
