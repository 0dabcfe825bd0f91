"""The sets that the project generates: written once to the folder of prepared sets."""

import contextlib
import importlib
import io
import logging
from dataclasses import replace
from pathlib import Path

from data import builders
from data.builders import versions
from data.config import DataConfig, DataError, one_of
from data.sources import store
from data.types import Stored
from models.registry import why_not

logger = logging.getLogger(__name__)


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
        store.library()
        builder = importlib.import_module(f"data.builders.{cfg.name}").Builder
        # TFDS would announce a download and draw progress bars, but nothing is downloaded.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            builder(data_dir=folder, file_format="array_record").download_and_prepare()


def fingerprint(cfg: DataConfig) -> str | None:
    """`name/version+hash`, or None until the set is generated."""
    return store.fingerprint(_pinned(cfg))


def examples(cfg: DataConfig) -> dict[str, int]:
    """The number of examples in each split."""
    return store.examples(_pinned(cfg))


def read(cfg: DataConfig) -> Stored:
    """The set as generated."""
    return store.read(_pinned(cfg))
