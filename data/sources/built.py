"""The sets the project makes itself: generated once into the folder of prepared sets."""

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
    """The config with the version that today's code makes: an older copy is not that set."""
    check_name(cfg.name)
    version = versions()[cfg.name]
    if cfg.version not in (None, version):
        raise DataError(f"data.version={cfg.version!r}: {cfg.name} is made as {version} only")
    return replace(cfg, version=version)


def check_name(name: str) -> None:
    """Raise DataError unless `data/builders` has a set of this name."""
    file = Path(builders.__file__).parent / f"{name}.py"
    if name.isidentifier() and file.is_file() and (reason := why_not(file, "VERSION")):
        raise DataError(f"{reason}: the version of what it makes, such as '1.0.0'")
    one_of("data.name", name, versions())


def prepare(cfg: DataConfig) -> None:
    """Generate the set unless it is there. Several processes may ask at once."""
    cfg = _pinned(cfg)
    folder = store.data_dir(cfg)
    if store.find(folder, cfg.name, cfg.version):
        return
    with store.preparing(folder, cfg.name):
        if store.find(folder, cfg.name, cfg.version):
            return  # another process made it while this one waited
        logger.info("making %s %s in %s", cfg.name, cfg.version, folder)
        store.library()
        builder = importlib.import_module(f"data.builders.{cfg.name}").Builder
        # TFDS announces a download and draws progress bars; there is none, and it takes seconds.
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            builder(data_dir=folder, file_format="array_record").download_and_prepare()


def fingerprint(cfg: DataConfig) -> str | None:
    """`name/version+hash`, None until the set is made."""
    return store.fingerprint(_pinned(cfg))


def examples(cfg: DataConfig) -> dict[str, int]:
    """How many examples each split has."""
    return store.examples(_pinned(cfg))


def read(cfg: DataConfig) -> Stored:
    """The set as generated."""
    return store.read(_pinned(cfg))
