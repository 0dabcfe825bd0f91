"""The plugin through which Hydra runs a sweep; Hydra finds it by the name of the folder.

Hydra's own sweeper would launch every run, even those that are complete. With this one the session
chooses the runs beforehand, and the configured launcher gets those that remain.
"""

from __future__ import annotations

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins import sweeper
from hydra.types import HydraContext
from omegaconf import DictConfig


class Sweeper(sweeper.Sweeper):
    """Composes and launches the runs of the session whose job was passed to Hydra."""

    def __init__(self, **_: Any) -> None:
        """Ignores the settings of Hydra's own sweeper."""

    def setup(self, *, hydra_context: HydraContext, task_function: Any, config: DictConfig) -> None:
        """Hydra's call: the launcher is made of the configuration's `hydra.launcher`."""
        self._loader, self._config = hydra_context.config_loader, config
        self._session = task_function.__self__
        self._launcher = Plugins.instance().instantiate_launcher(
            hydra_context, task_function, config
        )

    def sweep(self, arguments: list[str]) -> None:
        """Hydra's call; the session provides the overrides of the runs."""
        self._session.carry_out(self)

    def compose(self, overrides: list[str]) -> DictConfig:
        """The configuration of one run, with Hydra's own part under `hydra`."""
        return self._loader.load_sweep_config(self._config, overrides)

    def launch(self, runs: list[list[str]]) -> None:
        """Run the job for each list of overrides; returns when all have ended."""
        self._launcher.launch(runs, initial_job_idx=0)
