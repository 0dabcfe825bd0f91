"""One call of the program: Hydra composes each run, and every end is told in one line."""

from __future__ import annotations

import contextlib
import os
import shlex
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
from conf import commandline, presets
from conf.reader import ConfigError
from conf.schema import Config, from_dict
from experiments import backends, framework, prepare, terminal
from experiments.exits import BAD, FAILED, FOUND, OK, STOPPED
from experiments.run import Claimed, Run, RunFailed
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
            session = Session(arguments, train)
            return session.sweep() if commandline.is_multirun(arguments) else session.once()
        except (*BAD_INPUT, HydraException, OmegaConfBaseException) as mistake:
            terminal.complain(str(commandline.explain(mistake, arguments)))
            return BAD
        except KeyboardInterrupt:
            terminal.complain("interrupted; the same command goes on from the last finished epoch")
            return STOPPED


class Session:
    """The job that Hydra runs, once or many times, and what came of it."""

    def __init__(self, arguments: list[str], train: Train) -> None:
        self.arguments = arguments
        self.train = train
        self.code = OK
        self.studies: set[Path] = set()
        commandline.check(arguments)

    def once(self) -> int:
        """One run, or what else Hydra is asked for; returns the exit code."""
        if commandline.preset(self.arguments) and not commandline.only_shows(self.arguments):
            raise ConfigError("sweep=… stands for many runs: add -m")
        compose = hydra.main(
            version_base="1.3", config_path=str(commandline.ROOT), config_name="config"
        )
        compose(self.job)()
        for study in self.studies:
            from experiments import overview

            if picture := overview.write(study):
                terminal.say(f"{'all runs so far':<14} {picture}")
        return max(self.code, OK)

    def sweep(self) -> int:
        """Every run of a multirun, and the report on its studies; returns the exit code."""
        from experiments import launching

        hydras, overrides = commandline.hydras_own(self.arguments)
        with (
            tempfile.TemporaryDirectory() as folder,
            launching.launcher(self.arguments, hydras, self.job) as launcher,
        ):
            os.environ["PADZOO_SWEEP_DIR"] = folder
            runs = presets.expand(overrides)
            if any(o.startswith("evaluate=") for o in runs[0]):
                launcher.launch(runs)
                return max(self.code, OK)
            return self._study(runs, launcher, Path(folder))

    def _study(self, runs: list[list[str]], launcher: Any, folder: Path) -> int:
        from experiments import planning, report, sweeping

        command = shlex.join(["python", "train.py", *self.arguments])
        sweep = planning.plan(runs, launcher.compose, command)
        terminal.planned(sweep)
        rerun = "rerun=true" in (o.lower() for o in runs[0])
        missing = sweeping.carry_out(sweep, launcher.launch, folder, rerun=rerun)
        terminal.missing(missing)
        complete = [report.finish(study) for study in sweep.studies]
        whole = all(complete) and not missing and self.code <= OK
        return OK if whole else max(self.code, FAILED)

    def job(self, composed: DictConfig) -> None:
        """One run, alone or as one of a sweep, in this process or a worker."""
        overrides = list(HydraConfig.get().overrides.task)
        many = HydraConfig.get().mode == hydra.types.RunMode.MULTIRUN
        try:
            if many:
                code = self._one_of_many(composed, overrides)
            else:
                code = self._attempt(_config(composed), overrides)
        except (*BAD_INPUT, OmegaConfBaseException) as mistake:
            which = f"{' '.join(overrides)}: " if many else ""
            terminal.complain(which + str(commandline.explain(mistake, self.arguments)))
            code = BAD
        except Exception:  # a bug of ours: show it, and let a sweep's other runs go on
            traceback.print_exc()
            code = FAILED
        self.code = max(self.code, code)

    def _one_of_many(self, composed: DictConfig, overrides: list[str]) -> int:
        from experiments import launching, sweeping

        folder = Path(os.environ["PADZOO_SWEEP_DIR"])
        launching.share_cores(folder)
        config = _config(composed)
        if config.evaluate is not None:
            return self._attempt(config, overrides)
        begun = time.perf_counter()
        with terminal.hushed():
            code = self._attempt(config, overrides)
        if code in (OK, FAILED):
            run = Run.of(config, prepare.fingerprint(config))
            results = run.results if run.complete else None  # of a probe's failure it is
            seconds = time.perf_counter() - begun
            terminal.ended(config, results, seconds, sweeping.Progress(folder))
        return code

    def _attempt(self, config: Config, overrides: list[str]) -> int:
        """Train or evaluate, with every expected end told in one line."""
        try:
            if config.evaluate is not None:
                from experiments import reevaluate

                return reevaluate.main(config, overrides)
            code = self.train(config)
            self.studies.add(Path(config.runs_dir).expanduser() / config.study)
            return code
        except Claimed as elsewhere:
            terminal.say(str(elsewhere))
            return FOUND
        except RunFailed as failure:
            terminal.complain(f"failed: {failure}")
            return FAILED


def _config(composed: DictConfig) -> Config:
    values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    return from_dict(values)


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
