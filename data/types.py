"""What `data.load` hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from data.transforms import Examples


@dataclass(frozen=True)
class Split:
    """One split, ready for a model; the arrays are read-only.

    x: float32 (n, height, width, channels) or (n, time, channels), resized and normalised: an
        array, or what reads it from disk as it is indexed.
    y: int32 (n,), class indices; or (n, steps), those of the last steps of each sequence, of
        which the test split may leave some out: -1, not scored.
    ids: int64 (n,), each example's index within the official split it comes from.
    margin: float32 (n,), pixels from the object's box to the nearest border, negative where
        the border cuts it; None where the set does not know (and after a resize, in the
        resized picture's pixels).
    source_ids: int64, of the shape of y, the drawing, file or moment that a label is of; None
        where unknown.
    subset: str (n,), which of several test sets in one an example belongs to; None where there
        is but one. The first example's subset is the one that the test accuracy counts.
    """

    x: Examples
    y: NDArray[np.int32]
    ids: NDArray[np.int64]
    margin: NDArray[np.float32] | None = None
    source_ids: NDArray[np.int64] | None = None
    subset: NDArray[np.str_] | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Spec:
    """What a model and a record need to know of the data.

    kind: "image" or "sequence".
    input_shape: (height, width, channels) or (time, channels).
    fingerprint: identity of the data, as `data.fingerprint` gives it.
    mean, std: per channel, in the stored data's units: x = (stored - mean) / std.
    normalize: the setting that chose them.
    validation: where the validation split comes from: "official", "carved" or "none".
    test: the official split that serves as test.
    scored_steps: how many steps at the end of a sequence have a label each; None where a whole
        example has one.
    stored_shape: of an example as stored, channels last; sizes are None where pictures differ.
    stored_dtype: of its values.
    provenance: name, version, origin and licence notes, as far as known.
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


@dataclass(frozen=True)
class Data:
    """A data set with its three splits; validation is None where nothing is held out.

    streams: None for a set held in memory, else a plain line that says it is read from disk.
    notes: plain lines for the user, that of `streams` and those of Stored.
    """

    spec: Spec
    train: Split
    validation: Split | None
    test: Split
    streams: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawSplit:
    """One official split as stored, or a piece of one: numbers untouched.

    x: (n, h, w, c) or (n, t, c), any real dtype; in memory or mapped from a file.
    y: (n,) integers, or (n, steps) as in Split.
    """

    x: NDArray[np.generic]
    y: NDArray[np.generic]
    margin: NDArray[np.float32] | None = None
    source_ids: NDArray[np.int64] | None = None
    subset: NDArray[np.str_] | None = None


@dataclass(frozen=True)
class StoredSplit:
    """What a source says of one official split before an example is read.

    shape: of x, (n, h, w, c) or (n, t, c); h and w are None where pictures differ in size.
    dtype: of x.
    pieces: reads the split in its stored order, a piece at a time; DataError for what is wrong.
    """

    shape: tuple[int | None, ...]
    dtype: np.dtype
    pieces: Callable[[], Iterator[RawSplit]]


@dataclass(frozen=True)
class Stored:
    """A data set as its source offers it. `splits` holds train and test, and perhaps validation.

    scored_steps: as in Spec.
    notes: plain lines for the user: what was left aside, what is likely meant otherwise.
    """

    kind: str
    splits: dict[str, StoredSplit]
    class_names: tuple[str, ...]
    test: str = "test"
    provenance: dict[str, str] = field(default_factory=dict)
    scored_steps: int | None = None
    notes: tuple[str, ...] = ()
