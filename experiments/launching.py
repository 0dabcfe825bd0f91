"""Hydra's side of a sweep: a run's configuration from its overrides, and the launcher.

Hydra's own sweeper composes a run only to find that it is complete; here the runs are chosen
beforehand, and the launcher, whichever is configured, gets what is left of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from hydra.version import setbase
from omegaconf import DictConfig

from conf.commandline import ROOT
from conf.reader import ConfigError


class Launcher:
    """Hydra, ready to compose and to launch runs of `task`; made by `launcher`."""

    def __init__(self, hydra: Hydra, config: DictConfig, task: Callable[[DictConfig], None]):
        self._loader, self._config = hydra.config_loader, config
        context = HydraContext(config_loader=self._loader, callbacks=Callbacks(config))
        self._launcher = Plugins.instance().instantiate_launcher(context, task, config)

    def compose(self, overrides: list[str]) -> DictConfig:
        """The configuration of one run, with Hydra's own part under `hydra`."""
        return self._loader.load_sweep_config(self._config, overrides)

    def launch(self, runs: list[list[str]]) -> None:
        """Run the task for each list of overrides; returns when all have ended."""
        self._launcher.launch(runs, initial_job_idx=0)


@contextlib.contextmanager
def launcher(
    arguments: list[str], hydra_overrides: list[str], task: Callable[[DictConfig], None]
) -> Iterator[Launcher]:
    """Hydra for the command line's flags and those of its overrides that are Hydra's own."""
    flags = get_args_parser().parse_known_args(arguments)[0]
    search = create_config_search_path(str(ROOT))
    if flags.config_dir is not None:
        folder = Path(flags.config_dir).resolve()
        if not folder.is_dir():
            raise ConfigError(f"--config-dir: {folder} is not a folder")
        search.prepend("command-line", f"file://{folder}", SearchPathQuery(provider="schema"))
    setbase("1.3")
    hydra = Hydra.create_main_hydra2("train", search)
    try:
        config = hydra.compose_config(
            flags.config_name or "config",
            [*hydra_overrides, "hydra.mode=MULTIRUN"],
            run_mode=RunMode.MULTIRUN,
            with_log_configuration=False,
        )
        yield Launcher(hydra, config, task)
    finally:
        GlobalHydra.instance().clear()


def workers() -> int:
    """How many processes the launcher of the current run uses: 1 but for joblib."""
    jobs = HydraConfig.get().launcher.get("n_jobs", 1)
    cores = os.cpu_count() or 1
    return jobs if jobs > 0 else max(1, cores + 1 + jobs)


_held: list[IO[str]] = []  # this process's share of the cores, as long as it lives


def share_cores(folder: Path) -> None:
    """Keep to this worker's share of the cores, so that runs do not fight; the first call decides.

    Args:
        folder: shared by the workers of one sweep; in it each claims a number.
    """
    many = workers()
    if _held or many == 1:
        return
    cores = sorted(os.sched_getaffinity(0))
    for number in range(many):
        slot = open(folder / f"worker-{number}", "w")  # noqa: SIM115  held until the process ends
        try:
            fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            slot.close()
            continue
        _held.append(slot)
        os.sched_setaffinity(0, cores[number::many] or [cores[number % len(cores)]])
        return
