"""Prepare a data set before training, or write it as an npz file: `python -m data.prepare`.

The command takes the overrides of train.py. `fingerprint` prepares the set of a run that starts.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

import data
from conf import choices, commandline, device, help_page
from conf.reader import ConfigError, read
from conf.schema import Config
from data.tasks import without_labels
from experiments import terminal
from experiments.run import framework
from experiments.run.quiet import quiet
from experiments.terminal import BAD, OK, STOPPED

HELP = """\
Prepare a data set before training, and optionally write it as a file.

  python -m data.prepare data=placed_digits                     generate it, unless it exists
  python -m data.prepare data=cifar10 data.download=true        download it from its source
  python -m data.prepare data=cifar10 npz=cifar10.npz           write it as one file
  python -m data.prepare data=cifar10 data.examples=5000 npz=small.npz

Training from npz=FILE needs only NumPy and a back end: no TensorFlow, no download.
data.examples writes only a stratified subset of the training examples, and the validation examples
that were held out; data.resize is applied if the images vary in size. All other settings are
applied in training.

data=  (data sets)
"""


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    if {"-h", "--help"} & set(arguments):
        print(HELP + "\n".join(help_page.choices("data")))
        return OK
    begun = time.perf_counter()
    overrides = [argument for argument in arguments if not argument.startswith("npz=")]
    try:
        target = _target([argument for argument in arguments if argument not in overrides])
        overrides = _checked(overrides)
        cfg = _config(overrides)
        for name, text in prepare(cfg, target, overrides).items():
            print(f"{name:<13} {text}")
    except (ConfigError, data.DataError, HydraException, OmegaConfBaseException) as mistake:
        terminal.complain(str(commandline.explain(mistake, overrides)))
        return BAD
    except KeyboardInterrupt:
        terminal.complain("interrupted")
        return STOPPED
    print(f"{'time':<13} {time.perf_counter() - begun:.1f} s")
    return OK


def fingerprint(cfg: data.DataConfig, backend: str) -> str:
    """The identity of a set; a set of the project is generated first if it is missing."""
    found = data.fingerprint(cfg)
    if found is None:
        with terminal.busy(f"preparing {cfg.name}, once"):
            framework.start(backend)
            data.ensure(cfg)
        found = data.fingerprint(cfg)
    return str(found)


def identity(config: Config) -> tuple[str, str]:
    """The fingerprint of a run's data, generated first if needed, and the name of its cell.

    Raises:
        DoesNotFitError: for a model that cannot be trained on it; then nothing is generated.
    """
    from data import loading

    choices.check_task(config.task, config.model.name, config.trainer.label_smoothing)
    found = fingerprint(config.data, config.backend)
    return found, config.cell(found, loading.training_examples(config.data))


def prepare(cfg: data.DataConfig, target: Path | None, overrides: list[str]) -> dict[str, str]:
    """Prepare the set, and write it to `target` unless that is None; returns lines about it."""
    from data import loading
    from data.sources import npz, npz_export, store, streaming

    if cfg.source == "tfds" and device.installed("tensorflow"):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet():  # reading the set needs it
            importlib.import_module("tensorflow")
    data.ensure(cfg)
    identity = str(data.fingerprint(cfg))
    stored = loading.describe(cfg)
    where = cfg.path or store.find(store.data_dir(cfg), cfg.name, cfg.version)
    said = {
        "data": _described(stored),
        "splits": "   ".join(_counts(stored)),
        "classes": f"{len(stored.class_names)}: {_listed(stored.class_names)}"
        if stored.class_names
        else "none; the targets are images",
        "location": f"{where} ({streaming.gib(_bytes(Path(str(where)).expanduser()))})",
        "fingerprint": identity,
        **({"note": "; ".join(stored.notes)} if stored.notes else {}),
    }
    model = ["model=autoencoder"] * cfg.image_target
    model += ["model=causal_conv1d", "padding=causal"] * (stored.kind == "sequence" or cfg.sequence)
    model += ["model.head=steps"] * (stored.scored_steps is not None)
    if target is None:
        varied = None in stored.splits["train"].shape and cfg.resize is None
        if not varied and streaming.line(cfg, stored):
            said["memory"] = str(
                loading.read(cfg, identity)[2]
            )  # may first write the files to stream from
        words = [word for word in overrides if not word.startswith("data.download=")]
        words += ["data.resize=<pixels>"] * varied
        return said | {"train": _command(*model, *words)}
    written = npz_export.write(cfg, identity, target)
    held = npz.read(written)
    return said | {
        "written to": f"{target} ({streaming.gib(target.stat().st_size)})",
        "holds": ", ".join([*_counts(held), str(held.splits["train"].dtype)]),
        "npz": str(data.fingerprint(written)),
        "train": _command(*model, "data=npz", *_differences(written)),
    }


def _target(given: list[str]) -> Path | None:
    if not given:
        return None
    path = Path(given[-1].removeprefix("npz=")).expanduser()
    if path.suffix != ".npz" or len(given) > 1:
        raise ConfigError(f"{' '.join(given)}: only one file can be written, npz=<file>.npz")
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"npz={path} cannot be written: {path.parent} is not a folder")
    return path


def _checked(arguments: list[str]) -> list[str]:
    for argument in arguments:
        key = argument.split("=", 1)[0].lstrip("+~")
        if key != "data" and not key.startswith("data."):
            raise ConfigError(
                f"{argument} has no effect here: data.prepare takes data=<set>, data.<key>=<value> "
                "and npz=<file>; --help lists the sets"
            )
    arguments = commandline.readable(arguments)
    if commandline.check(arguments) > 1:
        raise ConfigError("only one set can be prepared at a time: give one value for each setting")
    return arguments


def _config(overrides: list[str]) -> data.DataConfig:
    with initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        composed = compose("config", overrides)
    values: Any = OmegaConf.to_container(composed.data, resolve=True, throw_on_missing=True)
    cfg = read(data.DataConfig, values, "data")
    cfg.validate()
    return dataclasses.replace(cfg, task=without_labels(cfg.made_for))


def _counts(stored: Any) -> list[str]:
    names = ("train", "validation", "test")
    return [f"{n} {stored.splits[n].shape[0]:,}" for n in names if n in stored.splits]


def _described(stored: Any) -> str:
    _, *shape = stored.splits["train"].shape
    size = "×".join("any" if n is None else str(n) for n in shape)
    return f"{stored.kind}s of {size}, {stored.splits['train'].dtype}"


def _listed(names: tuple[str, ...], most: int = 10) -> str:
    return ", ".join(names[:most]) + ", …" * (len(names) > most)


def _bytes(where: Path) -> int:
    files = where.rglob("*") if where.is_dir() else [where]
    return sum(file.stat().st_size for file in files if file.is_file())


def _differences(cfg: data.DataConfig) -> list[str]:
    """The overrides that turn `data=npz` into this config."""
    usual = dataclasses.asdict(data.DataConfig("npz", "npz"))
    changes = []
    for key, value in dataclasses.asdict(cfg).items():
        if key in ("made_for", "task", "factor"):  # the network and the data suggest them
            continue
        parts = {key: (value, usual[key])}
        if isinstance(value, dict):
            parts = {f"{key}.{name}": (v, usual[key][name]) for name, v in value.items()}
        changes += [f"data.{k}={_text(v)}" for k, (v, default) in parts.items() if v != default]
    return sorted(changes, key=lambda change: not change.startswith("data.path="))


def _text(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _command(*overrides: str) -> str:
    return shlex.join(["python", "train.py", *overrides])


if __name__ == "__main__":
    sys.exit(terminal.call(main))
