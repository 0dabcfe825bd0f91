"""The sets that the project generates: written once to the folder of prepared sets."""

import contextlib
import importlib
import io
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from data import builders
from data.builders import versions
from data.config import DataConfig, DataError, one_of
from data.sources import features, store
from data.types import Stored
from models.registry import why_not

logger = logging.getLogger(__name__)
MOST_TOLD = 200  # characters of a builder's error


def _pinned(cfg: DataConfig) -> DataConfig:
    """The config with the version that the current code generates; older copies do not count."""
    check_name(cfg.name)
    version = versions()[cfg.name]
    if cfg.version not in (None, version):
        raise DataError(
            f"data.version={cfg.version!r}: {cfg.name} can be generated only as {version}"
        )
    return replace(cfg, version=version)


def check_name(name: str) -> None:
    """Raise DataError unless `data/builders` has a set of this name."""
    file = Path(builders.__file__).parent / f"{name}.py"
    if name.isidentifier() and file.is_file() and (reason := why_not(file, "VERSION")):
        raise DataError(f"{reason}: the version of what it makes, such as '1.0.0'")
    one_of("data.name", name, versions())


def prepare(cfg: DataConfig) -> None:
    """Generate the set if it is missing. Several processes may do so at the same time."""
    cfg = _pinned(cfg)
    folder = store.data_dir(cfg)
    if store.find(folder, cfg.name, cfg.version):
        return
    with store.preparing(folder, cfg.name):
        if store.find(folder, cfg.name, cfg.version):
            return  # another process made it while this one waited
        logger.info("generating %s %s in %s", cfg.name, cfg.version, folder)
        features.library()
        builder = _builder(cfg.name)(data_dir=folder, file_format="array_record")
        # TFDS would announce a download and draw progress bars, but nothing is downloaded.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            try:
                builder.download_and_prepare()
            except DataError:
                raise
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                raise DataError(f"data/builders/{cfg.name}.py: {_short(error)}") from error


def _builder(name: str) -> Any:
    where = f"data/builders/{name}.py"
    builder = getattr(importlib.import_module(f"data.builders.{name}"), "Builder", None)
    if builder is None:
        raise DataError(f"{where} has no class Builder(tfds.core.GeneratorBasedBuilder)")
    if builder.name != name:
        raise DataError(f"{where}: Builder.name must be that of the file, {name!r}")
    return builder


def _short(error: Exception) -> str:
    """An error in one line; TFDS puts the whole example before what is wrong with it."""
    told = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return told if len(told) <= MOST_TOLD else f"{type(error).__name__}: … {told[-MOST_TOLD:]}"


def fingerprint(cfg: DataConfig) -> str | None:
    """`name/version+hash`, or None until the set is generated."""
    return store.fingerprint(_pinned(cfg))


def examples(cfg: DataConfig) -> dict[str, int]:
    """The number of examples in each split."""
    return store.examples(_pinned(cfg))


def read(cfg: DataConfig) -> Stored:
    """The set as generated."""
    return store.read(_pinned(cfg))
