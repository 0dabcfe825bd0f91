"""The data settings: plain frozen dataclasses, checked in one place."""

import math
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from pathlib import Path

from data.tasks import TASKS
from models.messages import Layout, did_you_mean

NORMALIZE = ("standardize", "unit", "none")
CROP_MODES = ("zeros", "reflect", "symmetric", "replicate", "circular")
KINDS = ("image", "sequence")
LAYOUTS = ("channels_last", "channels_first")
# What to try where the shape of the arrays is likely of another layout.
LAYOUT_HINTS: dict[Layout, str] = {
    "channels_first": "the channels seem to come first: data.layout=channels_first",
    "series_first": "if these are sequences (n, channels, time): data.layout=channels_first",
    "series_last": "if these are sequences (n, time, channels): data.kind=sequence",
}
SOURCES = ("built", "tfds", "npz", "image_folder")


class DataError(ValueError):
    """A mistake in the data settings or in the data; the message is one plain line."""


def one_of(what: str, value: str, allowed: Collection[str]) -> None:
    """Raise DataError, with a close match if there is one, unless value is allowed."""
    if value not in allowed:
        hint = did_you_mean(value, allowed) or f"allowed: {', '.join(allowed)}"
        raise DataError(f"{what}={value!r} is unknown; {hint}")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _at_least(what: str, value: object, least: int) -> None:
    if not (_is_int(value) and value >= least):  # type: ignore[operator]
        raise DataError(f"{what}={value!r} must be a whole number of at least {least}")


# Settings that a source would silently ignore.
_MEANINGLESS = {
    "built": ("path", "kind", "download", "test", "layout"),
    "tfds": ("path", "kind", "test"),
    "npz": ("version", "download", "test"),
    "image_folder": ("version", "download", "kind", "layout"),
}


def cache_folder(name: str) -> Path:
    """A folder for reproducible files: `~/.cache/padzoo/<name>`; it need not exist yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "padzoo" / name


def left_out(examples: int, batch_size: int) -> int:
    """The number of examples that an epoch of training leaves out; they differ between epochs.

    The last batch gives one full step, however few examples it holds. If it holds less than a
    quarter of the batch size, each of its examples would count more than four times as much as the
    others, so it is left out. A set that is smaller than that is used whole.

    Example:
        >>> left_out(450, 64), left_out(464, 64), left_out(10, 64)
        (2, 0, 0)
    """
    rest = examples % batch_size
    return rest if examples > batch_size and 4 * rest < batch_size else 0


@dataclass(frozen=True)
class AugmentConfig:
    """Training-time augmentation of images, applied after normalisation.

    flip: mirror left to right with probability 1/2.
    crop: pad by this many pixels on every side, then cut a random window of the old size.
    crop_mode: the mode of that padding; "zeros" is the mean grey under "standardize".
    cutout: side, in pixels, of one square set to zero; it may extend over the border.
    """

    flip: bool = False
    crop: int = 0
    crop_mode: str = "zeros"
    cutout: int = 0

    def validate(self) -> None:
        """Raise DataError for an invalid value."""
        if not isinstance(self.flip, bool):
            raise DataError(f"data.augment.flip={self.flip!r} must be true or false")
        _at_least("data.augment.crop", self.crop, 0)
        one_of("data.augment.crop_mode", self.crop_mode, CROP_MODES)
        _at_least("data.augment.cutout", self.cutout, 0)

    @property
    def active(self) -> bool:
        """Whether any operation is switched on."""
        return self.flip or self.crop > 0 or self.cutout > 0


@dataclass(frozen=True)
class DataConfig:
    """One data set and its preprocessing.

    name: placed_digits, mnist1d, any TFDS name ("mnist", "cifar10_corrupted/fog_1"), or,
        for an npz file or a folder, a name that the user chooses.
    source: "built" (generated here), "tfds" (catalogue), "npz" (the user's file) or
        "image_folder".
    version: of a generated or TFDS set; None takes the newest prepared one.
    path: the npz file, or the folder of images.
    kind: "image" or "sequence", for an npz file whose rank is ambiguous; None means
        image for (n, h, w) and (n, h, w, c), sequence for (n, t).
    layout: position of the channels in an npz file or a TFDS set: "channels_last", or
        "channels_first" for images (n, c, h, w) and sequences (n, c, t); arrays of three axes
        are then sequences.
    data_dir: the folder of prepared sets; None means padzoo's folder in the user's cache.
    download: whether a missing TFDS set may be downloaded.
    validation: fraction of the official training split held out; ignored for a set that
        has its own validation split.
    test: fraction of an image folder held out as the test split if the folder has none.
    split_seed: chooses which examples are held out and which `examples` are kept.
    examples: size of a stratified subset of the training split. The validation examples are
        held out first, so they are the same for every value, and a smaller subset is
        contained in every larger one.
    resize: side in pixels; images become resize x resize (bilinear, antialiased).
    sequence: images become sequences of their pixels, (h * w, c), row by row, after `resize`.
    permutation: seed of the order into which the pixels of every sequence are shuffled; None
        does not shuffle them.
    normalize: "standardize" (per channel, training mean and sd), "unit" (to 0..1), "none".
    augment: training-time augmentation.
    made_for: the task that is taken where none is asked for and the network can; None for none.
    task: one of `data.tasks.TASKS`, by which the target is chosen; None for the stored labels.
    factor: of super-resolution: the input has this many times fewer pixels on each side.
    epochs: the set's default length of training; stored but not used in this package.
    memory: a set that takes more GiB than this as float32 is read from disk batch by batch;
        "auto" is a fraction of the free memory. It does not change any result.
    """

    name: str
    source: str
    version: str | None = None
    path: str | None = None
    kind: str | None = None
    layout: str = "channels_last"
    data_dir: str | None = None
    download: bool = False
    validation: float = 0.1
    test: float = 0.2
    split_seed: int = 0
    examples: int | None = None
    resize: int | None = None
    sequence: bool = False
    permutation: int | None = None
    normalize: str = "standardize"
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    made_for: str | None = None
    task: str | None = None
    factor: int = 1
    epochs: int = 10
    memory: str | float = "auto"

    def validate(self) -> None:
        """Raise DataError for an invalid value, or for two that contradict each other."""
        one_of("data.source", self.source, SOURCES)
        if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", str(self.name)):
            raise DataError(f"data.name={self.name!r} is not a data set's name")
        one_of("data.normalize", self.normalize, NORMALIZE)
        if self.kind is not None:
            one_of("data.kind", self.kind, KINDS)
        one_of("data.layout", self.layout, LAYOUTS)
        for name in ("download", "sequence"):
            if not isinstance(getattr(self, name), bool):
                raise DataError(f"data.{name}={getattr(self, name)!r} must be true or false")
        if not isinstance(self.validation, (int, float)) or not 0 <= self.validation < 1:
            raise DataError(f"data.validation={self.validation!r} must be a fraction in [0, 1)")
        if not isinstance(self.test, (int, float)) or not 0 < self.test < 1:
            raise DataError(f"data.test={self.test!r} must be a fraction between 0 and 1")
        _at_least("data.split_seed", self.split_seed, 0)
        _at_least("data.epochs", self.epochs, 1)
        for name in ("examples", "resize"):
            if getattr(self, name) is not None:
                _at_least(f"data.{name}", getattr(self, name), 1)
        gib = math.inf if isinstance(self.memory, str) else self.memory
        if self.memory != "auto" and not 0 < gib < math.inf:
            raise DataError(f"data.memory={self.memory!r} must be auto or a number of GiB above 0")
        self._validate_source()
        self.augment.validate()
        self._validate_sequence()
        self._validate_task()

    def _validate_source(self) -> None:
        own = {"npz": "<file.npz>", "image_folder": "<folder>"}
        if self.source in own and not self.path:
            raise DataError(f"data.source={self.source} needs data.path={own[self.source]}")
        self._refuse(*_MEANINGLESS[self.source])

    def _validate_sequence(self) -> None:
        if self.permutation is not None:
            _at_least("data.permutation", self.permutation, 0)
            if not self.sequence:
                raise DataError(
                    "data.permutation shuffles a sequence's pixels: it needs data.sequence=true"
                )
        if self.sequence and self.augment.active:
            raise DataError("data.augment is for images, but data.sequence=true makes sequences")

    def _validate_task(self) -> None:
        for name, task in (("data.made_for", self.made_for), ("task", self.task)):
            if task is not None:
                one_of(name, task, TASKS)
        _at_least("data.factor", self.factor, 1)
        if not self.image_target:
            return
        if self.sequence:
            raise DataError(
                f"task={self.task} predicts images, but data.sequence=true makes sequences of them"
            )
        if self.augment.crop or self.augment.cutout:
            raise DataError(
                f"task={self.task} takes data.augment.flip alone: crop and cutout would change the "
                "input and not its target"
            )

    @property
    def image_target(self) -> bool:
        """Whether the target is an image, not a class."""
        return self.task is not None and TASKS[self.task].target != "class"

    @property
    def label(self) -> str:
        """A short name for people: the set's name, and whether its images are read as sequences."""
        if not self.sequence:
            return self.name
        return f"{'sequential' if self.permutation is None else 'permuted'}_{self.name}"

    def _refuse(self, *names: str) -> None:
        """Settings that the source would silently ignore are mistakes."""
        defaults = {f.name: f.default for f in fields(self)}
        for name in names:
            value = getattr(self, name)
            if value != defaults[name]:
                raise DataError(f"data.{name}={value!r} means nothing with source={self.source}")
