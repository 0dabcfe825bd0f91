"""One call of the program: Hydra composes each run, and every ending prints one line."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from conf import commandline, help_page, presets
from conf.reader import ConfigError, DoesNotFitError
from conf.schema import Config, from_dict
from experiments import terminal
from experiments.run import framework, prepare_data
from experiments.run.record.directory import Claimed, Run, RunFailed
from experiments.run.record.files import DamagedError
from experiments.study import backends
from experiments.terminal import BAD, BAD_INPUT, FAILED, FOUND, OK, STOPPED

SWEEPER = ("hydra.mode=MULTIRUN", "hydra.sweeper._target_=hydra_plugins.padzoo.Sweeper")
sys.path.append(str(Path(__file__).parent / "study" / "plugins"))  # where Hydra finds it
# One run: returns OK if it trained, FOUND if it was complete.
Train = Callable[[Config], int]


def main(train: Train) -> int:
    """Run `train` for each run that the command line asks for; returns the exit code."""
    if {"-h", "--help"} & set(sys.argv):
        terminal.say(help_page.help_page())  # ends quietly where `| head` has closed the pipe
        return OK
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises, and we print one line
    arguments = sys.argv[1:]
    with _interruptible():
        try:
            arguments = commandline.readable(arguments)
            sweeps = backends.split(arguments)
            if len(sweeps) > 1:
                return backends.run_each(sweeps)
            if sweeps:  # one back end under two names
                (arguments,) = sweeps.values()
            sys.argv[1:] = arguments
            session = Session(arguments, train)
            return session.sweep() if commandline.is_multirun(arguments) else session.once()
        except (*BAD_INPUT, HydraException, OmegaConfBaseException) as mistake:
            terminal.complain(str(commandline.explain(mistake, arguments)))
            return BAD
        except KeyboardInterrupt:
            terminal.complain("interrupted; the same command resumes after the last finished epoch")
            return STOPPED
        except Exception as error:
            return terminal.failure(error)


class Session:
    """The job that Hydra runs, once or many times, and its outcome."""

    def __init__(self, arguments: list[str], train: Train) -> None:
        self.arguments = arguments
        self.train = train
        self.code = OK
        self.studies: set[Path] = set()
        commandline.check(arguments)

    def once(self) -> int:
        """One run, or another action of Hydra; returns the exit code."""
        if commandline.preset(self.arguments) and not commandline.only_shows(self.arguments):
            raise ConfigError("sweep=… runs a sweep: add -m")
        self._call_hydra()
        for study in self.studies:
            from experiments.report import overview

            try:
                if picture := overview.write(study):
                    terminal.say(f"{'all runs so far':<14} {picture}")
            except OSError as refusal:  # the run itself is complete and can be shown
                terminal.say(f"no picture of all runs: {terminal.system_error(refusal)}")
        return max(self.code, OK)

    def sweep(self) -> int:
        """All runs of a multirun and the reports of its studies; returns the exit code."""
        commandline.check_shows_one(self.arguments)
        # Hydra searches for plugins once, perhaps before ours could be found.
        Plugins.instance().register(importlib.import_module("hydra_plugins.padzoo").Sweeper)
        own, _ = commandline.hydras_own(self.arguments)
        sys.argv[1:] = [*own, *SWEEPER]  # what Hydra composes before the runs are known
        with tempfile.TemporaryDirectory() as folder:
            os.environ["PADZOO_SWEEP_DIR"] = folder
            self._call_hydra()
        return max(self.code, OK)

    def carry_out(self, sweeper: Any) -> None:
        """Called by our sweeper when Hydra is ready to compose and to launch runs."""
        from experiments.study import jobs, tuning
        from experiments.study.plan import Plan

        sys.argv[1:] = self.arguments  # as recorded by every run
        _, overrides = commandline.hydras_own(self.arguments)
        runs = presets.expand(overrides)
        if any(o.startswith("evaluate=") for o in runs[0]):
            sweeper.launch(runs)
            return
        composed = sweeper.compose(runs[0])
        values: Any = OmegaConf.to_container(composed.sweep, resolve=True)
        declared = presets.Declaration.of(values)
        if grid := declared.tuned:
            study = Path(composed.runs_dir).expanduser() / str(composed.study)
            launcher = composed.hydra.launcher
            with open_dict(composed):
                del composed["hydra"]
            metric = declared.metric
            try:
                config = _config(composed)  # a mistake is found before it is tuned
            except DoesNotFitError:
                pass  # the run is then left out
            else:
                jobs.check_recorded(config, launcher)
                metric = tuning.judge(config.sweep.metric, config.task)
            (Plan.read(study) or Plan()).check_declared(declared)
            train = functools.partial(self._carry_out, sweeper)
            runs = tuning.tune(runs, grid, study, metric, train)
            self.code = OK  # values with which a run fails are not chosen
        self._carry_out(sweeper, runs)

    def _carry_out(self, sweeper: Any, runs: list[list[str]]) -> Any:
        """Plan runs, train those that are not complete, and write the reports of their studies."""
        from experiments.report import writing
        from experiments.study import execution, jobs

        command = shlex.join(["python", "train.py", *self.arguments])
        sweep = jobs.plan(runs, sweeper.compose, command)
        jobs.announce(sweep)
        folder = Path(os.environ["PADZOO_SWEEP_DIR"])
        rerun = "rerun=true" in (o.lower() for o in runs[0])
        missing = execution.carry_out(sweep, sweeper.launch, folder, rerun=rerun)
        execution.complain_of(missing)
        complete = [writing.finish(study) for study in sweep.studies]
        if missing or not all(complete):
            self.code = max(self.code, FAILED)
        return sweep

    def _call_hydra(self) -> None:
        root = str(commandline.ROOT)
        hydra.main(version_base="1.3", config_path=root, config_name="config")(self.job)()

    def job(self, composed: DictConfig) -> None:
        """One run, alone or as one of a sweep, in this process or a worker."""
        overrides = list(HydraConfig.get().overrides.task)
        many = HydraConfig.get().mode == hydra.types.RunMode.MULTIRUN
        run = self._of_a_sweep if many else self._alone
        call = functools.partial(run, composed, overrides)
        self.code = max(self.code, self._told(call, f"{' '.join(overrides)}: " if many else ""))

    def _told(self, call: Callable[[], int], which: str) -> int:
        """The exit code of a call; its errors, of one among many runs, are told in one line."""
        try:
            return call()
        except OmegaConfBaseException as mistake:
            terminal.complain(which + str(commandline.explain(mistake, self.arguments)))
            return BAD
        except Exception as error:  # a mistake too; the other runs of the sweep continue
            return terminal.failure(error, which)

    def _alone(self, composed: DictConfig, overrides: list[str]) -> int:
        config = _config(composed)
        if config.sweep.tuned:
            raise ConfigError("sweep.tuned tunes the runs of a sweep: add -m")
        return self._attempt(config, overrides)

    def _of_a_sweep(self, composed: DictConfig, overrides: list[str]) -> int:
        """A run of a sweep, and the seeds of its cell that are trained at once with it."""
        from experiments.run.loop.seeds import turns
        from experiments.study import groups, workers

        folder = Path(os.environ["PADZOO_SWEEP_DIR"])
        workers.share_cores(folder)
        config = _config(composed)
        if config.evaluate is not None:
            return self._attempt(config, overrides)
        _, cell = prepare_data.identity(config)
        seeds = groups.seeds(folder, Run.of(config.study_folder, cell, config.seed))
        if len(seeds) == 1:
            return self._one_of_many(folder, config, overrides)
        calls = []
        for seed in seeds:
            own = list(groups.with_seed(overrides, seed))
            one = functools.partial(
                self._one_of_many, folder, dataclasses.replace(config, seed=seed), own
            )
            calls.append(functools.partial(self._told, one, f"{' '.join(own)}: "))
        return max(turns.together(calls, terminal.say))

    def _one_of_many(self, folder: Path, config: Config, overrides: list[str]) -> int:
        from experiments.study import execution

        begun = time.perf_counter()
        with terminal.hushed():
            code = self._attempt(config, overrides)
        if code in (OK, FAILED):
            _, cell = prepare_data.identity(config)
            run = Run.of(config.study_folder, cell, config.seed)
            results = run.results if run.complete else None  # FAILED if a probe failed
            seconds = time.perf_counter() - begun
            execution.tell_end(
                config.title, results, seconds, execution.Progress(folder), config.task
            )
        return code

    def _attempt(self, config: Config, overrides: list[str]) -> int:
        """Train or evaluate; every expected ending prints one line."""
        try:
            if config.evaluate is not None:
                from experiments.probes.shared import reevaluate

                return reevaluate.main(
                    Path(config.evaluate),
                    overrides,
                    config.data,
                    config.probes,
                    visible=config.trainer.progress,
                )
            code = self.train(config)
            self.studies.add(config.study_folder)
            return code
        except DamagedError as damage:
            remedy = "; rerun=true trains the run again" if config.evaluate is None else ""
            terminal.complain(f"{damage}{remedy}")
            return BAD
        except Claimed as elsewhere:
            terminal.say(str(elsewhere))
            return FOUND
        except RunFailed as failure:
            terminal.complain(f"failed: {failure}")
            terminal.show_traceback(failure)
            return FAILED


def _config(composed: DictConfig) -> Config:
    values: Any = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    return from_dict(values)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Inside the block, Ctrl-C and SIGTERM both raise an interrupt that is also remembered."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, _interrupt) for number in numbers}
    framework.INTERRUPTED.clear()
    try:
        yield
    finally:
        framework.INTERRUPTED.clear()
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(*_: Any) -> None:
    framework.INTERRUPTED.set()
    raise KeyboardInterrupt
