"""The types that `data.load` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from data.transforms import Examples


@dataclass(frozen=True)
class Split:
    """One split, ready for a model; the arrays are read-only.

    x: float32 (n, height, width, channels) or (n, time, channels), resized and normalised: an
        array, or an object that reads from disk when it is indexed.
    y: int32 (n,), class indices; or (n, steps), those of the last steps of each sequence; in
        the test split, -1 marks a step that is not scored. Of images, int32 (n, height, width),
        the class of each pixel, -1 where it does not count; or float32 (n, height, width,
        channels), a normalised picture, which is x itself where a picture is to be given back.
    ids: int64 (n,), each example's index within the official split it comes from.
    margin: float32 (n,), distance in pixels from the object's bounding box to the nearest border
        of the (resized) image, negative where the border cuts the object; None if unknown.
    source_ids: int64 (n,), or (n, steps) as y, the drawing, file or moment to which a label
        belongs; None if unknown.
    subset: str (n,), the test set to which an example belongs if the split combines several;
        None if there is only one. The test accuracy is that of the first example's subset.
    frame: of target images ((top, height), (left, width)), the part that a network gives; None if
        it gives all of them.
    levels, target_levels: float32 (256, channels), what the stored bytes 0 to 255 became in x and
        in a target picture y of its own; None where other values were stored, or resized.
    """

    x: Examples
    y: NDArray[np.int32] | NDArray[np.float32]
    ids: NDArray[np.int64]
    margin: NDArray[np.float32] | None = None
    source_ids: NDArray[np.int64] | None = None
    subset: NDArray[np.str_] | None = None
    frame: tuple[tuple[int, int], tuple[int, int]] | None = None
    levels: NDArray[np.float32] | None = None
    target_levels: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def framed(self, y: NDArray[Any]) -> NDArray[Any]:
        """The part of targets (n, …) that a network gives."""
        if self.frame is None:
            return y
        (top, height), (left, width) = self.frame
        return y[:, top : top + height, left : left + width]


@dataclass(frozen=True)
class Spec:
    """What a model and a record need to know about the data.

    kind: "image" or "sequence".
    input_shape: (height, width, channels) or (time, channels).
    num_classes: of the labels, or of the pixels of a mask; of a target picture its channels.
    class_names: in the order of the labels; none for a target picture.
    fingerprint: identity of the data, from `data.fingerprint`.
    mean, std: per channel, in the stored data's units: x = (stored - mean) / std.
    normalize: the setting that chose them.
    validation: origin of the validation split: "official", "carved" (held out from the training
        split) or "none".
    test: the official split that is used as the test split.
    scored_steps: number of steps at the end of a sequence that have a label each; None if each
        example has one label.
    stored_shape: shape of a stored example, channels last; sizes are None if images differ.
    stored_dtype: type of the stored values.
    provenance: name, version, origin and licence notes, as far as known.
    target_mean, target_std: as mean and std, of a target picture; None for classes.
    target_range: difference of the largest and the smallest value that a target picture can have:
        255 for uint8, else that of the training targets; None for classes.
    """

    kind: str
    input_shape: tuple[int, ...]
    num_classes: int
    class_names: tuple[str, ...]
    fingerprint: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    normalize: str
    validation: str
    test: str
    scored_steps: int | None = None
    stored_shape: tuple[int | None, ...] | None = None
    stored_dtype: str | None = None
    provenance: dict[str, str] = field(default_factory=dict)
    target_mean: tuple[float, ...] | None = None
    target_std: tuple[float, ...] | None = None
    target_range: float | None = None


@dataclass(frozen=True)
class Data:
    """A data set with its three splits; validation is None if nothing is held out.

    streams: None for a set in memory, else a plain line that says it is read from disk.
    notes: plain lines for the user: that of `streams` and those of Stored.
    """

    spec: Spec
    train: Split
    validation: Split | None
    test: Split
    streams: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawSplit:
    """One official split as stored, or a piece of one, with unchanged values.

    x: (n, h, w, c) or (n, t, c), any real dtype; in memory or mapped from a file.
    y: (n,) integers, or (n, steps) as in Split; (n, h, w) integers of a mask; (n, h, w, c) of a
        target picture; None where the target is the input itself.
    """

    x: NDArray[np.generic]
    y: NDArray[np.generic] | None = None
    margin: NDArray[np.float32] | None = None
    source_ids: NDArray[np.int64] | None = None
    subset: NDArray[np.str_] | None = None


@dataclass(frozen=True)
class StoredSplit:
    """What a source knows about one official split before it reads an example.

    shape: of x, (n, h, w, c) or (n, t, c); h and w are None if images differ in size.
    dtype: of x.
    pieces: reads the split in its stored order, piece by piece; DataError if something is wrong.
    """

    shape: tuple[int | None, ...]
    dtype: np.dtype
    pieces: Callable[[], Iterator[RawSplit]]


@dataclass(frozen=True)
class Stored:
    """A data set from its source. `splits` has train and test, and possibly validation.

    class_names: of the labels or of a mask's pixels; none where the target is a picture.
    scored_steps: as in Spec.
    channels: of the target picture; None where the target is none, or is the input itself.
    notes: plain lines for the user about ignored files and likely mistakes.
    """

    kind: str
    splits: dict[str, StoredSplit]
    class_names: tuple[str, ...]
    test: str = "test"
    provenance: dict[str, str] = field(default_factory=dict)
    scored_steps: int | None = None
    notes: tuple[str, ...] = ()
    channels: int | None = None
