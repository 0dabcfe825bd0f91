"""Train a network under a padding: compose -> data -> model -> fit -> evaluate -> record."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
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
from experiments.checkpoint import CheckpointError
from experiments.run import COMPLETED, Claimed, Run
from models.padding import PaddingError

BAD_INPUT = (ConfigError, data.DataError, models.ModelError, PaddingError)
OK, FAILED, BAD, STOPPED = 0, 1, 2, 130


def train(config: Config) -> int:
    """One run from its configuration to its results; returns the exit code.

    Heavy imports wait until they are needed: a complete run answers before Keras loads.
    """
    begun = time.perf_counter()
    fingerprint = data.fingerprint(config.data)
    if fingerprint is None:
        with terminal.busy(f"preparing {config.data.name}, once"):
            framework.start(config.backend)
            data.prepare(config.data)
        fingerprint = data.fingerprint(config.data)
    run = Run.of(config, str(fingerprint))
    if run.status == COMPLETED and not config.rerun:
        terminal.already_complete(run, config.runs_dir)
        return OK
    run.check_free()

    with terminal.busy(f"starting {config.backend}"):
        framework.start(config.backend)
        from experiments import activations, evaluation, optimizers, progress, tracking, training
        from models.geometry.trace import trace

    # data
    with terminal.busy(f"reading {config.data.name}"):
        loaded = data.load(config.data)
    seeds = config.seeds.derived(config.seed)

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
    """`train` or evaluate, with every expected failure told in one line."""
    try:
        if config.evaluate is not None:
            from experiments import reevaluate

            data_asked_for = any(text.startswith(("data=", "data.name=")) for text in overrides)
            return reevaluate.main(config, other_data=data_asked_for)
        return train(config)
    except Claimed as elsewhere:
        terminal.say(str(elsewhere))
        return OK
    except (ArithmeticError, CheckpointError) as failure:
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
        if HydraConfig.get().mode == hydra.types.RunMode.MULTIRUN:
            self.sweep.begin()
        begun = time.perf_counter()
        try:
            values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
            config = from_dict(values)
            code = attempt(config, list(HydraConfig.get().overrides.task))
            self.studies.add(Path(config.runs_dir) / config.study)
        except (*BAD_INPUT, OmegaConfBaseException) as mistake:
            terminal.complain(str(commandline.explain(mistake, self.arguments)))
            code = BAD
        except Exception:  # a bug of ours: show it, and let a sweep's other runs go on
            traceback.print_exc()
            code = FAILED
        self.sweep.ended(time.perf_counter() - begun)
        self.code = max(self.code, code)

    def close(self) -> None:
        """Draw what the studies that were touched have found so far."""
        if not self.studies:
            return
        from experiments import overview

        for study in self.studies:
            if picture := overview.write(study):
                terminal.say(f"{'all runs so far':<14} {picture}")


def main() -> int:
    arguments = sys.argv[1:] = commandline.quoted(sys.argv[1:])
    if {"-h", "--help"} & set(arguments):
        print(commandline.help_page())
        return OK
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra raises, and the one line is ours
    try:
        session = Session(arguments)
        hydra.main(version_base="1.3", config_path="conf", config_name="config")(session.job)()
        session.close()
        return session.code
    except (*BAD_INPUT, HydraException, OmegaConfBaseException) as mistake:
        terminal.complain(str(commandline.explain(mistake, arguments)))
    except KeyboardInterrupt:
        terminal.complain("interrupted; the same command goes on from the last finished epoch")
        return STOPPED
    return BAD


if __name__ == "__main__":
    sys.exit(main())
