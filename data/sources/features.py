"""What the features of a TFDS set say: whether it fits a task, and what its target is."""

import importlib
import logging
from typing import Any

from data.config import DataConfig, DataError
from data.tasks import SUPER_RESOLUTION, TASKS


def library() -> Any:
    """Import TensorFlow Datasets and check that it is complete.

    If a package that it needs fails to import, it only logs that, and then has no attributes.

    Raises:
        ImportError: or any other error that the package raised.
    """
    threshold = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        module = importlib.import_module("tensorflow_datasets")
        if not hasattr(module, "builder_from_directory"):
            importlib.import_module(
                "tensorflow_datasets.public_api"
            )  # raises the error that was only logged
    finally:
        logging.disable(threshold)
    return module


def check(cfg: DataConfig, features: Any) -> tuple[str, str | None]:
    """The kind of a set with these TFDS features, "image" or "sequence", and its target feature.

    The target is None where it is the input itself.

    Raises:
        DataError: the set has no target for the task.
    """
    tfds = library()

    keys = list(features) if isinstance(features, tfds.features.FeaturesDict) else []
    pictures = "image" in keys and len(features["image"].shape or ()) == 3
    holds = f"and has {', '.join(keys) or 'none by name'}"
    if cfg.image_target:
        wanted = TASKS[str(cfg.task)].target
        if pictures and wanted == "mask" and "mask" in keys:
            return "image", "mask"
        if pictures and wanted == "picture":
            own = "target" in keys and cfg.task != SUPER_RESOLUTION
            return "image", "target" if own else None
        needs = "image (height, width, channels)" + " and mask (height, width)" * (wanted == "mask")
        raise DataError(
            f"{cfg.name} is not a set for task={cfg.task}: it needs the features {needs}, {holds}"
        )
    label = features["label"] if "label" in keys else None
    classes = classes_of(label)
    if isinstance(classes, tfds.features.ClassLabel) and classes.num_classes:
        if pictures and label is classes:
            return "image", "label"
        if "sequence" in keys and len(features["sequence"].shape or ()) == 2:
            return "sequence", "label"
    hint = " (a network that gives an image takes it, such as model=autoencoder)" * pictures
    raise DataError(
        f"{cfg.name} is not an image classification set{hint}: it needs the features image "
        f"(height, width, channels) and label (a class), {holds}"
    )


def classes_of(label: Any) -> Any:
    """The classes of a label, or of a fixed number of labels of one example."""
    tfds = library()

    inner = getattr(label, "feature", None)
    several = isinstance(inner, tfds.features.ClassLabel) and label.shape[0]
    return inner if several else label


def target(info: Any, feature: str | None) -> tuple[tuple[str, ...], int | None, int | None]:
    """The names of a target's classes, the scored steps of a sequence, the channels of a picture.

    Args:
        info: of a TFDS builder.
        feature: as `check` returns it.
    """
    if feature == "label":
        label = info.features["label"]
        return tuple(classes_of(label).names), (*label.shape, None)[0], None
    if feature == "mask":
        return tuple(map(str, info.metadata["mask_classes"])), None, None
    return (), None, info.features["target"].shape[-1] if feature else None
