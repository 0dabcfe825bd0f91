"""The typed configuration, and the checks that involve several fields.

`from_dict` reads the composed mapping into frozen dataclasses, so that no code below `train.py`
handles a DictConfig; it resolves every `auto`, and refuses in one line what cannot run. It imports
no framework, so a mistake is reported in a fraction of a second.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import data
import models
from conf import choices, device
from conf.padding_config import PaddingConfig
from conf.presets import DECLARED, Declaration
from conf.reader import ConfigError, read, unknown
from data.config import left_out
from data.tasks import TASKS, TEST

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
BACKENDS = ("tensorflow", "jax")
DEVICES = ("auto", "cpu", "gpu")
FIT, SCAN = "fit", "scan"  # a call of Python for each step; a chunk of steps as one program
# Of seeds_at_once=auto, where the engine is scan; a measurement on a GPU may say more.
SEEDS_AT_ONCE = 1
MOST = 1024  # threads, or seeds at once


@dataclass(frozen=True)
class Component:
    """A name from a registry, and the options that its builder takes."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainerConfig:
    epochs: int | None = 10
    steps: int | None = None
    batch_size: int = 64
    label_smoothing: float = 0.0
    early_stopping: int | None = None
    restore_best: bool = False
    test: bool = True
    test_epochs: Any = ()
    freeze: str | None = None
    precision: str = "auto"
    jit: bool | str = "auto"
    steps_per_execution: int = 1
    engine: str = "auto"
    seeds_at_once: int | str = "auto"
    threads: int | str = "auto"
    progress: bool = True


@dataclass(frozen=True)
class Seeds:
    init: int | None = None
    order: int | None = None
    augment: int | None = None
    padding: int | None = None


@dataclass(frozen=True)
class Config:
    model: Component
    padding: PaddingConfig
    data: data.DataConfig
    optimizer: Component
    schedule: Component
    trainer: TrainerConfig
    task: str = choices.AUTO
    seed: int = 0
    seeds: Seeds = field(default_factory=Seeds)
    backend: str = "auto"
    device: str = "auto"
    study: str = "default"
    sweep: Declaration = field(default_factory=Declaration)
    runs_dir: str = "runs"
    rerun: bool = False
    evaluate: str | None = None
    probes: Any = None  # as typed; in a resolved Config a tuple of names

    @property
    def title(self) -> str:
        """A description of the run, for people."""
        return (
            f"{self.model.name}, padding {self.padding.label}, {self.data.label}, seed {self.seed}"
        )

    @property
    def study_folder(self) -> Path:
        """The folder of the study that the run belongs to."""
        return Path(self.runs_dir).expanduser() / self.study

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as stored in a run's config.json and read back by `from_dict`."""
        values = dataclasses.asdict(self)
        for group in ("model", "optimizer", "schedule"):
            values[group] = {"name": values[group]["name"], **values[group]["options"]}
        return values

    def identity(self, fingerprint: str, examples: int = 0) -> dict[str, Any]:
        """The settings that identify a run, apart from its seed; no paths or display settings.

        Args:
            fingerprint: fingerprint of the data.
            examples: number of training examples, from `data.loading.training_examples`.
        """
        values = self.to_dict()
        for key in ("seed", "device", "study", "sweep", "runs_dir", "rerun", "evaluate", "probes"):
            del values[key]
        for key in ("made_for", "task", "factor"):
            del values["data"][key]
        if not self.data.image_target:
            del values["task"]
        for key in ("data_dir", "path", "download", "epochs", "version", "memory"):
            del values["data"][key]
        for key in ("progress", "threads", "seeds_at_once"):
            del values["trainer"][key]
        if not self.trainer.restore_best:
            del values["trainer"]["restore_best"]
        if left_out(examples, self.trainer.batch_size):
            # Earlier runs made a step with these examples; this entry tells new runs from them.
            values["trainer"]["last_batch"] = "left out"
        if self.trainer.engine == FIT or self.backend == "tensorflow":  # to the bit the same
            del values["trainer"]["engine"]
        if self.trainer.freeze is None:
            del values["trainer"]["freeze"]
        if self.trainer.test:
            del values["trainer"]["test"]
        if not self.trainer.test_epochs:
            del values["trainer"]["test_epochs"]
        else:
            values["trainer"]["test_epochs"] = sorted(self.trainer.test_epochs)
        if self.seeds.padding is None or not self.padding.draws:
            del values["seeds"]["padding"]
        values["padding"] = self.padding.by_axis(models.SPATIAL_RANK[models.kind(self.model.name)])
        values["data"]["fingerprint"] = fingerprint
        # Settings without effect are not part of it.
        if self.data.layout == "channels_last":
            del values["data"]["layout"]
        if self.data.source != "image_folder":
            del values["data"]["test"]
        if not self.data.sequence:
            del values["data"]["sequence"], values["data"]["permutation"]
        if self.data.augment.crop == 0:
            del values["data"]["augment"]["crop_mode"]
        return _canonical(values)

    def cell(self, fingerprint: str, examples: int = 0) -> str:
        """The directory name of all seeds of one configuration; arguments as in `identity`."""
        content = json.dumps(self.identity(fingerprint, examples), sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        data_name = self.data.label.replace("/", "-")
        return f"{self.model.name}-{self.padding.label}-{data_name}-{digest}"


def from_dict(values: Mapping[str, Any]) -> Config:
    """A checked, fully resolved `Config` from plain values; `ConfigError` for a mistake."""
    values = dict(values)
    for group in ("model", "optimizer", "schedule"):
        options = dict(values[group])
        values[group] = {"name": options.pop("name"), "options": options}
    declared = values.get("sweep", {})  # the other entries of a preset list its runs
    values["sweep"] = {name: declared[name] for name in DECLARED if name in declared}
    return _checked(_resolved(read(Config, values)))


def _resolved(config: Config) -> Config:
    backend = device.default_backend() if config.backend == "auto" else config.backend
    trainer, here = config.trainer, device.find(backend, config.device)
    on_gpu = here.kind == "gpu"
    precision, jit = trainer.precision, trainer.jit
    if precision == "auto":
        precision = "mixed_bfloat16" if on_gpu and here.bfloat16 else "float32"
    if jit == "auto":
        # On a CPU, TensorFlow trains these networks twice as fast without XLA; JAX always uses
        # XLA.
        jit = on_gpu or backend == "jax"
    engine = trainer.engine
    if engine == "auto":
        # On a CPU, XLA runs a convolution inside a loop on a slow path; TensorFlow does not, and
        # on a GPU it was not measured.
        chunked = on_gpu == (backend == "jax") and trainer.steps_per_execution == 1
        chunked = chunked and (bool(jit) or backend != "jax")
        engine = SCAN if chunked else FIT
    seeds = trainer.seeds_at_once
    if seeds == "auto":
        seeds = SEEDS_AT_ONCE if engine == SCAN and backend == "jax" else 1
    trainer = dataclasses.replace(
        trainer, precision=precision, jit=jit, engine=engine, seeds_at_once=seeds
    )
    asked = choices.probes_of(config.probes)
    model, of_data = config.model, config.data
    task = choices.task_of(config.task, model.name, of_data.made_for)
    of_data = dataclasses.replace(
        of_data, task=task, factor=choices.factor(task, model.name, model.options)
    )
    declared = config.sweep
    if declared.metric == Declaration.metric:  # of the task that there is
        declared = dataclasses.replace(declared, metric=f"{TEST}{TASKS[task].measure}")
    return dataclasses.replace(
        config,
        backend=backend,
        trainer=trainer,
        probes=asked,
        task=task,
        data=of_data,
        sweep=declared,
    )


def _checked(config: Config) -> Config:
    trainer = config.trainer
    _one_of("backend", config.backend, ("auto", *BACKENDS))
    _one_of("device", config.device, DEVICES)
    _one_of("trainer.precision", trainer.precision, ("auto", *PRECISIONS))
    _one_of("trainer.engine", trainer.engine, ("auto", FIT, SCAN))
    if trainer.engine == SCAN and trainer.steps_per_execution != 1:
        raise ConfigError(
            f"trainer.engine={SCAN} chooses its own chunks of steps: leave out "
            f"trainer.steps_per_execution={trainer.steps_per_execution}, or take "
            f"trainer.engine={FIT}"
        )
    if not isinstance(trainer.jit, bool):
        raise ConfigError(f"trainer.jit must be auto, true or false; got {trainer.jit!r}")
    if not trainer.jit and (trainer.engine, config.backend) == (SCAN, "jax"):
        raise ConfigError(
            f"trainer.jit=false needs trainer.engine={FIT} with backend=jax: the program of "
            f"{SCAN} is always compiled"
        )
    if (trainer.epochs is None) == (trainer.steps is None):
        raise ConfigError(
            "set the duration in one unit: trainer.epochs=…, or trainer.epochs=null trainer.steps=…"
        )
    for name in ("threads", "seeds_at_once"):
        number = getattr(trainer, name)
        if number != "auto" and number not in range(1, MOST + 1):
            raise ConfigError(
                f"trainer.{name} must be auto or between 1 and {MOST}; got {number!r}"
            )
    if trainer.seeds_at_once != 1 and (trainer.engine, config.backend) != (SCAN, "jax"):
        raise ConfigError(
            f"trainer.seeds_at_once={trainer.seeds_at_once} needs trainer.engine={SCAN} with "
            "backend=jax"
        )
    for name in ("epochs", "steps", "batch_size", "early_stopping", "steps_per_execution"):
        number = getattr(trainer, name)
        if number is not None and number < 1:
            raise ConfigError(f"trainer.{name} must be at least 1; got {number}")
    if not 0 <= trainer.label_smoothing < 1:
        raise ConfigError(
            f"trainer.label_smoothing must be in [0, 1); got {trainer.label_smoothing}"
        )
    for name in ("seed", *(f"seeds.{stream}" for stream in dataclasses.asdict(config.seeds))):
        number = config.seed if name == "seed" else getattr(config.seeds, name.split(".")[1])
        if number is not None and not 0 <= number < 2**32:
            raise ConfigError(f"{name} must be between 0 and 2**32 - 1; got {number}")
    config.sweep.check()
    choices.check_tests(trainer, config.sweep.metric, config.probes, config.task)
    if not config.study or "/" in config.study or config.study.startswith((".", "_")):
        raise ConfigError(f"study must be a plain folder name; got {config.study!r}")
    if not config.runs_dir:
        raise ConfigError("runs_dir must name a folder; it is empty")
    config.data.validate()
    if config.model.name not in models.names():
        try:
            models.kind(config.model.name)
        except models.ModelError as reason:
            raise ConfigError(str(reason)) from None
    config.padding.check_fits(config.model.name)
    return config


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise unknown(name, value, allowed)


def _canonical(value: Any) -> Any:
    """Writes equal numbers the same way: 0 and 0.0 are one value."""
    if isinstance(value, dict):
        return {key: _canonical(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
