"""Where the time goes before the first training step: imports, data, building, tracing.

    python -m experiments.benchmarks.start [overrides of train.py, e.g. model=vgg16]

Data that the project makes is made from nothing, in a temporary folder.
"""

from __future__ import annotations

import json
import sys
import tempfile
from typing import Any

import hydra
from omegaconf import OmegaConf

import data
import train
from conf import commandline
from conf.schema import Config, from_dict
from experiments import framework, provenance
from experiments.benchmarks.loop import epoch_of, timed


def main(arguments: list[str]) -> None:
    commandline.check(arguments)
    with hydra.initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed: Any = OmegaConf.to_container(hydra.compose("config", arguments), resolve=True)
    spent = stages(from_dict(composed))
    report = {
        "command": " ".join(["python -m experiments.benchmarks.start", *arguments]),
        **provenance.today("tensorflow"),
        "seconds": spent,
        "seconds_together": sum(spent.values()),
    }
    print(json.dumps(report, indent=2))
