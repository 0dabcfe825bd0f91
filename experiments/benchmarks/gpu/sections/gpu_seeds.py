"""Runs per hour, if seeds are trained one by one, in threads, or in one program."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments.benchmarks.gpu.setting import TINY_MODEL, Cost, Setting
from experiments.run import framework

PLACE = 7
TITLE = "Many seeds"
ASKS = (
    "Runs per hour of small_cnn on placed_digits and causal_conv1d on mnist1d: one process per "
    "run; one after the other in one program compiled once; in threads; all in one program "
    "(vmap), with grouped convolutions or as patches and a batched matrix product; and a sweep of "
    "train.py without and with trainer.seeds_at_once. Set-up and compilation are included; the "
    "time of an epoch is measured on a few epochs, that of a sweep as a whole. The ratio is to the "
    "runs per hour of a process each."
)
GOAL = "at least 8 × the runs per hour of a process each, for a sweep of 32 seeds of either network"
SECONDS = Cost(least=45, most=200, tiny=60)
CONFIGURATIONS = {
    "small_cnn, placed_digits": (),
    "causal_conv1d, mnist1d": ("model=causal_conv1d", "padding=causal", "data=mnist1d"),
}
SHORT = {
    "small_cnn, placed_digits": (*TINY_MODEL, "data.examples=48", "trainer.batch_size=16"),
    "causal_conv1d, mnist1d": (
        *("model.channels=4", "model.levels=1"),
        *("data.examples=48", "trainer.batch_size=16"),
    ),
}
SEEDS, TINY_SEEDS = (8, 32), (2,)
THREADS, EPOCHS = 8, 3
TABLE, NEEDED, A_PROCESS = "Runs per hour", 20.0, "a process each"


def measure(setting: Setting) -> None:
    framework.start("jax")
    for name, overrides in CONFIGURATIONS.items():
        if setting.tiny or setting.enough(NEEDED, name):
            _configuration(setting, name, (*overrides, *(SHORT[name] if setting.tiny else ())))
    rows = setting.record.rows(TABLE)
    if not rows:
        raise RuntimeError("no arm could be measured: see the notes")
    best = [
        max((r for r in rows if r["runs_of"] == name), key=lambda r: r["runs_an_hour"])
        for name in dict.fromkeys(row["runs_of"] for row in rows)
    ]
    told = [
        f"{r['runs_of']}: {r['runs_an_hour']:,} ({r['seeds']} {r['arm']}{_times(r)})" for r in best
    ]
    most = max(row["seeds"] for row in rows)
    setting.record.say(n=f"up to {most} seeds", summary="most runs per hour: " + "; ".join(told))


def _configuration(setting: Setting, name: str, overrides: tuple[str, ...]) -> None:
    import jax

    from experiments.benchmarks.gpu import seeds_together as experiment

    begun = time.perf_counter()
    config, data = _loaded(setting, overrides)
    trained = experiment.prepare(config, data)
    reading = time.perf_counter() - begun
    pictures = len(data.spec.input_shape) == 3
    many = TINY_SEEDS if setting.tiny else SEEDS
    begun = time.perf_counter()
    states = experiment.initial(trained, range(max(many)))
    a_seed = (time.perf_counter() - begun) / max(many)
    epochs, measured = config.trainer.epochs, 1 if setting.tiny else EPOCHS

    def arm(title: str, count: int, program: Any, run: Callable[[Any], Any], how: str) -> None:
        """Compile, warm up, measure; a row. `run(program)` trains `measured` epochs."""
        started = time.perf_counter()
        with experiment.convolved_as(how):
            made = program()
            first = states[:count]
            orders = trained.order(0, 0)
            if made.many:
                shapes = experiment.stacked(first)
                made.compile(shapes, np.stack([orders] * count))
            else:
                made.compile(first[0], orders)
        compiling = time.perf_counter() - started
        run(made)
        started = time.perf_counter()
        jax.block_until_ready(run(made))
        an_epoch = (time.perf_counter() - started) / measured
        whole = reading + count * a_seed + compiling + epochs * an_epoch
        setting.record.row(
            TABLE,
            runs_of=name,
            arm=title,
            seeds=count,
            runs_an_hour=round(3600 * count / whole),
            compile_seconds=round(compiling, 1),
            epoch_seconds_a_seed=an_epoch / count,
            whole_seconds=round(whole, 1),
        )

    def orders(i: int, epoch: int) -> Any:
        return trained.order(i, epoch)

    def one() -> Any:
        return experiment.Program(trained)

    def after(count: int) -> Callable[[Any], Any]:
        return lambda p: experiment.one_after_the_other(p, states[:count], orders, measured)

    def threads(count: int) -> Callable[[Any], Any]:
        return lambda p: experiment.in_threads(p, states[:count], orders, measured, THREADS)

    def vmapped(count: int) -> Callable[[Any], Any]:
        return lambda p: experiment.together(p, states[:count], orders, measured)

    if not (setting.tiny and pictures):  # what the goal is about comes first
        _a_process(setting, name, overrides)
        _a_sweep(setting, name, overrides, many[-1], many[-1])
    arms: list[tuple[Any, ...]] = []
    for count in many:
        all_of_them = lambda count=count: experiment.Program(trained, many=count)  # noqa: E731
        arms += [
            (
                f"in one program, {experiment.PATCHES}",
                count,
                all_of_them,
                vmapped(count),
                "patches",
            ),
            (
                f"in one program, {experiment.GROUPED}",
                count,
                all_of_them,
                vmapped(count),
                "grouped",
            ),
        ]
        if count == many[0]:
            arms.append(("one after the other", count, one, after(count), "grouped"))
            arms.append(("in threads", count, one, threads(count), "grouped"))
    if setting.tiny and pictures:
        arms = arms[:1]
    for title, count, program, run, how in arms:
        if not setting.tiny and not setting.enough(NEEDED, f"{name}, {count} {title}"):
            continue
        with setting.noted(f"{name}, {count} {title}"):  # the next arm may fit
            arm(title, count, program, run, how)
    if not setting.tiny:
        _a_sweep(setting, name, overrides, many[0], 1)
    compare([row for row in setting.record.rows(TABLE) if row["runs_of"] == name])
    setting.record.save()


def compare(rows: list[dict[str, Any]]) -> None:
    """Add to the rows of a configuration the ratio to a process each, if that was measured."""
    alone = [row["runs_an_hour"] for row in rows if row["arm"] == A_PROCESS]
    for row in rows if alone else []:
        row["times_a_process_each"] = round(row["runs_an_hour"] / alone[0], 2)


def _times(row: dict[str, Any]) -> str:
    """The ratio of a row, in words, if it is known."""
    found = row.get("times_a_process_each")
    return "" if found is None else f", {found} × {A_PROCESS}"


def _a_sweep(
    setting: Setting, name: str, overrides: tuple[str, ...], count: int, at_once: int
) -> None:
    """A sweep of train.py over this many seeds, with its report."""
    title = f"a sweep, {at_once} at once"
    if not setting.enough(NEEDED, f"{name}, {title}"):
        return
    own = (f"seed=range({count})", "trainer.engine=scan", f"trainer.seeds_at_once={at_once}")
    study = f"sweep-{at_once}-of-{name.split(',')[0]}"
    ended = setting.train(study, "-m", *overrides, *own, f"study={study}")
    if ended.code != 0:
        setting.record.note(f"Failed: {name}, {title}: {ended.why()}")
        return
    setting.record.row(
        TABLE,
        runs_of=name,
        arm=title,
        seeds=count,
        runs_an_hour=round(3600 * count / ended.seconds),
        whole_seconds=round(ended.seconds, 1),
    )


def _a_process(setting: Setting, name: str, overrides: tuple[str, ...]) -> None:
    """One run of train.py, for comparison, with compiled programs from the cache."""
    if not setting.enough(NEEDED, f"{name}, one process per run"):
        return
    ended = setting.train("process", *overrides, "study=process")
    if ended.code != 0:
        setting.record.note(f"Failed: {name}, one process per run: {ended.why()}")
        return
    setting.record.row(
        TABLE,
        runs_of=name,
        arm=A_PROCESS,
        seeds=1,
        runs_an_hour=round(3600 / ended.seconds),
        whole_seconds=round(ended.seconds, 1),
    )


def _loaded(setting: Setting, overrides: tuple[str, ...]) -> tuple[Any, Any]:
    """The configuration as in train.py, and its data."""
    import hydra
    from omegaconf import OmegaConf

    import data
    from conf import commandline
    from conf.schema import from_dict

    own = [f"data.data_dir={setting.work / 'data'}", "backend=jax"]
    own.append(f"trainer.precision={setting.precision}")
    with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed = hydra.compose("config", commandline.readable([*overrides, *own]))
    values: Any = OmegaConf.to_container(composed, resolve=True)
    config = from_dict(values)
    data.ensure(config.data)
    return config, data.load(config.data)
