"""Train one network: configuration -> data -> model -> fit -> evaluate -> record."""

from __future__ import annotations

import dataclasses
import functools
import sys
import time

from conf.schema import Config
from experiments import session, terminal
from experiments.probes.shared import reevaluate
from experiments.run import framework, inputs, prepare_data, summary
from experiments.run.record import files, provenance, source_files
from experiments.run.record.directory import Run
from experiments.study import comparable
from experiments.terminal import FOUND, OK


def train(config: Config) -> int:
    """One run from its configuration to its results; returns OK, or FOUND if it was complete.

    Returns FAILED if the run was complete and one of its probes failed.

    Heavy imports are delayed, so the result of a complete run is shown before Keras is loaded.
    """
    begun = time.perf_counter()
    fingerprint, cell = prepare_data.identity(config)
    run = Run.of(config.study_folder, cell, config.seed)
    probe = functools.partial(
        reevaluate.probe, data_dir=config.data.data_dir, visible=config.trainer.progress
    )
    damage = None if config.rerun else run.damage()
    if damage:
        raise damage
    if run.complete and not config.rerun:
        summary.already_complete(run, config.runs_dir)
        missing = run.not_probed(config.probes)
        return probe(run, missing) if missing else FOUND
    run.check_free()

    threads = comparable.threads(config)
    if terminal.heard() and (line := comparable.warning(config, threads)):
        terminal.say(line)

    with terminal.busy(f"starting {config.backend}"):
        framework.start(config.backend, threads, config.device)
        from experiments.run.evaluation import tested
        from experiments.run.loop import memory, optimizers, progress, training
        from experiments.run.loop.engines import reuse
        from experiments.run.record import activations, image_errors
        from experiments.run.record.board import Board, hparams
        from models.geometry.glance import glance

    # data
    with terminal.busy(f"reading {config.data.name}"):
        loaded = inputs.load(config.data, fingerprint, config.trainer)
    for line in inputs.said_of(loaded, config.trainer):
        terminal.say(line)
    seeds = inputs.derived(config.seed, config.seeds)

    # model
    framework.fresh(precision=config.trainer.precision, seed=seeds["init"])
    model = inputs.build(config.model, config.padding, loaded.spec, padding_seed=seeds["padding"])
    seen = glance(model)
    findings = [
        dataclasses.replace(f, remedy=terminal.in_overrides(f.remedy)) for f in seen.findings
    ]
    layers = [row.to_dict() for row in seen.rows]
    for line in seen.not_followed:
        terminal.say(line)
    epochs, steps = training.plan(config.trainer, len(loaded.train))
    optimizer = optimizers.build(config.optimizer, config.schedule, steps=steps)
    loaded = inputs.framed(loaded, model)
    training.compile_model(model, optimizer, config.trainer, config.task, loaded.spec)
    model = reuse.compiled(model, cell)
    summary.headline(config)

    settings = config.to_dict()
    sources = source_files.of_run(
        config.model.name, config.data.source, config.data.name, config.padding.modes
    )
    start = provenance.describe(
        config.backend, config.trainer, {"seed": config.seed, **seeds}, sources
    )
    with (
        run.claim(settings, start, rerun=config.rerun),
        Board(run.directory, run.cell, hparams(config), settings, config.task) as board,
    ):
        run.write_geometry(layers, findings)
        board.model(model.to_json(), layers, findings)
        setup_seconds = time.perf_counter() - begun

        # fit
        bar = progress.Bar(
            epochs=epochs,
            steps=steps,
            batch_size=config.trainer.batch_size,
            visible=config.trainer.progress,
            task=config.task,
        )

        def test() -> tested.Predictions:
            return tested.predict(model, loaded.test, loaded.spec, config.task)

        def on_epoch(history: list[training.Row]) -> None:
            run.write_metrics(history)
            board.epoch(history)
            bar.epoch(history)
            epoch = len(history)
            if epoch in config.trainer.test_epochs and not run.predictions(epoch).exists():
                run.write_predictions(test(), epoch)

        with bar, memory.told(model, loaded.train, config.trainer):
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

        # evaluate: the only use of the test split, besides that of trainer.test_epochs
        kept = training.kept(history, config.trainer)
        predictions = test() if config.trainer.test else None
        earlier = [(epoch, run.predictions(epoch)) for epoch in config.trainer.test_epochs]
        results = {
            **tested.results(predictions, loaded.spec, config.task),
            **tested.results_at(
                {e: files.read_npz(p) for e, p in earlier if p.exists()}, loaded.spec, config.task
            ),
            **training.validated(kept, config.task),
            "epochs": len(history),
            "tested_epoch": kept["epoch"],
            **tested.cost(model, layers),
            **training.speed(history),
            "setup_seconds": setup_seconds,
            "train_seconds": sum(row["train_seconds"] for row in history),
        }

        # record
        maps = activations.means(model, (loaded.test if config.trainer.test else loaded.train).x)
        pictures = {"mean_activation": activations.picture(maps)}
        if predictions is not None and loaded.train.y.ndim > 2:
            pictures["images"] = image_errors.write(
                run.directory, predictions, results, config.task
            )
        board.finish(results, pictures)
        learned = training.without_optimizer(model)
        run.record(learned, predictions, results, dataclasses.asdict(loaded.spec))
    summary.summary(results, layers, run, config.runs_dir, config.task)
    return probe(run, config.probes) if config.probes else OK


def main() -> int:
    """All runs that the command line asks for; returns the exit code."""
    return session.main(train)


if __name__ == "__main__":
    sys.exit(main())
