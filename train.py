"""Train a network under a padding: compose -> data -> model -> fit -> evaluate -> record."""

from __future__ import annotations

import dataclasses
import sys
import time

from conf import device
from conf.schema import Config
from experiments import framework, prepare, reevaluate, session, terminal
from experiments.exits import FOUND, OK
from experiments.prepare import build
from experiments.run import Run


def train(config: Config) -> int:
    """One run from its configuration to its results; returns OK, or FOUND if it is complete.

    FAILED if it is complete and a probe of it failed.

    Heavy imports wait until they are needed: a complete run answers before Keras loads.
    """
    begun = time.perf_counter()
    fingerprint = prepare.fingerprint(config)
    run = Run.of(config, fingerprint)
    if run.complete and not config.rerun:
        terminal.already_complete(run, config.runs_dir)
        missing = run.not_probed(config.probes)
        return reevaluate.probe(run, missing, config) if missing else FOUND
    run.check_free()

    with terminal.busy(f"starting {config.backend}"):
        framework.start(config.backend)
        from experiments import activations, evaluation, optimizers, progress, tracking, training
        from models.geometry.lint import lint
        from models.geometry.tracing import trace

    # data
    with terminal.busy(f"reading {config.data.name}"):
        loaded = prepare.load(config, fingerprint)
    if loaded.streams:
        terminal.say(loaded.streams)
    seeds = config.seeds.derived(config.seed)

    # model
    framework.fresh(precision=config.trainer.precision, seed=seeds["init"])
    model = build(config, loaded.spec)
    layers, findings = [row.to_dict() for row in trace(model)], lint(model)
    epochs, steps = training.plan(config.trainer, len(loaded.train))
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=steps)
    training.compile_model(model, optimizer, config.trainer)
    terminal.headline(config, device.find(config.backend).name)

    with run.claim(config), tracking.Board(run.directory, config, run.cell) as board:
        run.write_geometry(layers, findings)
        board.model(model.to_json(), layers, findings)
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
        kept = training.kept(history, config.trainer)
        predictions = evaluation.predict(model, loaded.test)
        results = {
            **evaluation.accuracies(predictions, loaded.spec),
            "validation_accuracy": kept.get("validation_accuracy"),
            "epochs": len(history),
            "tested_epoch": kept["epoch"],
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
    terminal.summary(results, layers, run, config.runs_dir)
    return reevaluate.probe(run, config.probes, config) if config.probes else OK


def main() -> int:
    """Every run that the command line asks for; returns the exit code."""
    return session.main(train)


if __name__ == "__main__":
    sys.exit(main())
