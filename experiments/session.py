"""One call of the program: Hydra composes each run, and every end is told in one line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

import data
import models
from conf import commandline
from conf.reader import ConfigError
from conf.schema import Config, from_dict
from experiments import backends, framework, terminal
from experiments.exits import BAD, FAILED, FOUND, OK, STOPPED
from experiments.run import Claimed, RunFailed
from models.padding import PaddingError

BAD_INPUT = (ConfigError, data.DataError, models.ModelError, PaddingError)
# One run: OK where it trained, FOUND where it was complete.
Train = Callable[[Config], int]


def main(train: Train) -> int:
    """Run `train` on what the command line asks for, once or many times; returns the exit code."""
    if {"-h", "--help"} & set(sys.argv):
        print(commandline.help_page())
        return OK
    os.environ["HYDRA_FULL_ERROR"] = "1"  # hydra raises, and the one line is ours
    arguments = sys.argv[1:]
    with _interruptible():
        try:
            arguments = commandline.readable(arguments)
            sweeps = backends.split(arguments)
            if len(sweeps) > 1:
                return backends.run_each(sweeps)
            if sweeps:  # one back end, by two names
                (arguments,) = sweeps.values()
            sys.argv[1:] = arguments
            return _run(Session(arguments, train))
        except (*BAD_INPUT, HydraException, OmegaConfBaseException) as mistake:
            terminal.complain(str(commandline.explain(mistake, arguments)))
            return BAD
        except KeyboardInterrupt:
            terminal.complain("interrupted; the same command goes on from the last finished epoch")
            return STOPPED


def _run(session: Session) -> int:
    compose = hydra.main(
        version_base="1.3", config_path=str(commandline.ROOT), config_name="config"
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PADZOO_SWEEP_DIR"] = folder
        compose(session.job)()
    session.close()
    return max(session.code, OK)


class Session:
    """The job that Hydra runs, once or many times, and what came of it."""

    def __init__(self, arguments: list[str], train: Train) -> None:
        self.arguments = arguments
        self.train = train
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
            code = self._attempt(config, overrides)
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

    def _attempt(self, config: Config, overrides: list[str]) -> int:
        """Train or evaluate, with every expected end told in one line."""
        try:
            if config.evaluate is not None:
                from experiments import reevaluate

                return reevaluate.main(config, overrides)
            return self.train(config)
        except Claimed as elsewhere:
            terminal.say(str(elsewhere))
            return FOUND
        except RunFailed as failure:
            terminal.complain(f"failed: {failure}")
            return FAILED

    def close(self) -> None:
        """Draw what the studies that were touched have found so far."""
        if not self.studies:
            return
        from experiments import overview

        for study in self.studies:
            if picture := overview.write(study):
                terminal.say(f"{'all runs so far':<14} {picture}")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM are one thing inside the block: an interrupt that is remembered."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    framework.INTERRUPTED.clear()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: Any) -> None:
    framework.INTERRUPTED.set()
    raise KeyboardInterrupt
