"""Sets of the TFDS catalogue: found where they were prepared, or downloaded if allowed."""

import logging

from data.config import DataConfig, DataError, one_of
from data.sources import features, store
from data.sources.store import examples, fingerprint, read

__all__ = ["examples", "fingerprint", "prepare", "read"]

logger = logging.getLogger(__name__)


def prepare(cfg: DataConfig) -> None:
    """Find the prepared set, or with `data.download=true` download it.

    A set that is already prepared in `data.data_dir` is accepted even if the catalogue does not
    know its name.

    Raises:
        DataError: unknown name, not an image classification set, missing, or download failed.
    """
    folder = store.data_dir(cfg)
    if store.find(folder, cfg.name, cfg.version):
        return
    tfds = features.library()

    base = cfg.name.split("/")[0]
    one_of("data.name", base, set(tfds.list_builders(with_community_datasets=False)))
    if not cfg.download:
        raise DataError(_not_prepared(cfg))
    with store.preparing(folder, cfg.name):
        if not store.find(folder, cfg.name, cfg.version):
            _download(cfg)


def _not_prepared(cfg: DataConfig) -> str:
    folder = store.data_dir(cfg)
    version = f" {cfg.version}" if cfg.version else ""
    there = store.find(folder, cfg.name, None)
    other = f" (but version {there.name} is)" if there and cfg.version else ""
    command = f"python train.py data=tfds data.name={cfg.name} data.download=true"
    return (
        f"{cfg.name}{version} is not prepared in {folder}{other}; download it with `{command}`, or "
        "set data.data_dir to a folder that holds it, or put the original files in "
        f"{folder / 'downloads' / 'manual'} and run that command"
    )


def _download(cfg: DataConfig) -> None:
    tfds = features.library()

    folder = store.data_dir(cfg)
    name = f"{cfg.name}:{cfg.version}" if cfg.version else cfg.name
    try:
        builder = tfds.builder(name, data_dir=folder, file_format="array_record")
        features.check(cfg, builder.info.features)
        # A warning, so that it is shown by default: without a network the downloader tries for
        # minutes before it gives up.
        logger.warning(
            "downloading %s (%s) into %s; press Ctrl-C to stop",
            cfg.name,
            builder.info.download_size,
            folder,
        )
        builder.download_and_prepare()
    except (DataError, ImportError):
        raise
    except Exception as error:  # TFDS and its downloader raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{cfg.name} could not be downloaded: {reason}") from error
