"""The project's training loop against a bare compiled Keras `fit`, interleaved in one process.

    python -m experiments.benchmarks.loop [overrides of train.py, e.g. trainer.batch_size=128]

Also says where the time of a first run goes: imports, data (prepared from nothing), building and
tracing, training. Each round times STEPS steps of either loop, in alternating order; the figure
is the median of the rounds' ratios: single rounds are at the mercy of the machine. Goal: at least
0.97 of the bare loop's images per second.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import data
import train
from conf import commandline
from conf.schema import Config, from_dict
from experiments import framework, provenance

ROUNDS, STEPS = 21, 60


def main(arguments: list[str]) -> None:
    commandline.check(arguments)
    with initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed: Any = OmegaConf.to_container(compose("config", arguments), resolve=True)
    config = from_dict(composed)
    spent, loops = prepare(config)
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    for i in range(ROUNDS):
        for name in ("ours", "bare") if i % 2 else ("bare", "ours"):
            seconds[name].append(timed(loops[name]))
    ratios = [b / o for o, b in zip(seconds["ours"], seconds["bare"], strict=True)]
    examples = STEPS * config.trainer.batch_size
    report = {
        "command": " ".join(["python -m experiments.benchmarks.loop", *arguments]),
        **provenance.today(config.backend),
        "rounds": ROUNDS,
        "steps_a_round": STEPS,
        **{f"{k}_images_per_second": examples / statistics.median(v) for k, v in seconds.items()},
        "ratio_median": statistics.median(ratios),
        "ratio_quartiles": statistics.quantiles(ratios, n=4)[::2],
        "seconds": spent,
        "seconds_but_training": sum(spent.values()),
    }
    print(json.dumps(report, indent=2))


def prepare(config: Config) -> tuple[dict[str, float], dict[str, Callable[[], Any]]]:
    """Build both loops on the same arrays and weights; returns the seconds of each stage too."""
    spent: dict[str, float] = {}
    spent["imports"] = timed(lambda: framework.start(config.backend))
    from experiments import optimizers, training
    from experiments.progress import Bar

    with tempfile.TemporaryDirectory() as cache:
        begun = time.perf_counter()
        built = config.data.source == "built"
        settings = {**config.to_dict()["data"], **({"data_dir": cache} if built else {})}
        settings["augment"] = config.data.augment
        loaded = data.load(data.DataConfig(**settings))
        spent["data"] = time.perf_counter() - begun

    seeds = config.seeds.derived(config.seed)
    _, steps = training.plan(config.trainer, len(loaded.train))
    compiled = {}
    begun = time.perf_counter()
    for name in ("ours", "bare"):
        framework.fresh(precision=config.trainer.precision, seed=seeds["init"])
        model = train.build(config, loaded.spec)
        optimizer = optimizers.build(config.optimizer, config.schedule, steps=steps)
        training.compile_model(model, optimizer, config.trainer)
        compiled[name] = model
    spent["building"] = (time.perf_counter() - begun) / 2

    batch = config.trainer.batch_size
    bar = Bar(epochs=1, steps=steps, batch_size=batch, visible=False)
    watch = training.Watch(batch, len(loaded.train), steps)

    def ours(steps: int = STEPS) -> None:
        watch.step = 0
        training.train_epoch(
            compiled["ours"],
            loaded.train,
            config.trainer,
            epoch=0,
            augment=config.data.augment,
            seeds=seeds,
            steps=steps,
            callbacks=[watch, bar],
        )

    examples = STEPS * batch
    x, y = loaded.train.x[:examples], loaded.train.y[:examples]

    def bare() -> None:
        compiled["bare"].fit(x, y, batch_size=batch, epochs=1, verbose=0)

    spent["tracing"] = timed(lambda: ours(1))
    for loop in (ours, bare):  # warm-up
        loop()
    return spent, {"ours": ours, "bare": bare}


def timed(action: Callable[[], Any]) -> float:
    """Seconds that `action` takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(sys.argv[1:])
