"""The time before the first training step: imports, data, building, tracing.

    python -m experiments.benchmarks.start [overrides of train.py, e.g. model=vgg16]

A data set of the project is generated anew in a temporary folder.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
from typing import Any

import hydra
from omegaconf import OmegaConf

import data
from conf import commandline, device
from conf.schema import Config, from_dict
from experiments.benchmarks.loop import __main__ as loop
from experiments.benchmarks.options import timed
from experiments.run import framework


def main(arguments: list[str]) -> None:
    commandline.check(arguments)
    with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed: Any = OmegaConf.to_container(hydra.compose("config", arguments), resolve=True)
    config = from_dict(composed)
    spent = stages(config)
    report = {
        "command": " ".join(["python -m experiments.benchmarks.start", *arguments]),
        "versions": framework.versions(),
        "device": device.find(config.backend).name,
        "cores": device.cores(),
        "seconds": spent,
        "seconds_together": sum(spent.values()),
    }
    print(json.dumps(report, indent=2))


def stages(config: Config) -> dict[str, float]:
    """The seconds of each stage of a first run, up to the end of its first step."""
    spent = {"imports": timed(lambda: framework.start(config.backend))()}
    with tempfile.TemporaryDirectory() as cache:
        settings = config.data
        if settings.source == "built":
            settings = dataclasses.replace(settings, data_dir=cache)
        found: list[Any] = []
        spent["data"] = timed(lambda: found.append(data.load(settings)))()
    (loaded,) = found
    framework.fresh(precision=config.trainer.precision, seed=config.seed)
    build = timed(lambda: found.append(loop.compiled(config, loaded.spec)))
    spent["building"] = build()
    spent["tracing and a step"] = loop.epoch(found[-1], config, loaded.train, steps=1)()
    return spent


if __name__ == "__main__":
    main(sys.argv[1:])
