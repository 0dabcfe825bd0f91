"""Padding as two factors: how many pixels (`amount`) and what they hold (`mode`).

Pure functions on numbers, one axis at a time; no framework is imported here. The vocabulary is
that of Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285), and of TensorFlow for the asymmetric `same`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..messages import unknown
from .amounts import AMOUNTS, AxisAmount, Widths, pad_amounts
from .checks import PaddingError
from .modes import MODES, ZEROS
from .names import (
    INPUT,
    Amount,
    Mode,
    Value,
    check_fields,
    read_amount,
    read_mode,
    read_value,
)


@dataclass(frozen=True)
class Padding:
    """What is put around a map before a window slides over it.

    Args:
        amount: one amount for every axis, or a sequence with one entry per axis. With n pixels,
            reach r = dilation_rate * (kernel_size - 1) and T = max(0, r - (n - 1) mod strides),
            an amount is, in pixels (before, after),
            `"valid"` (0, 0); `"same"` (floor(T / 2), ceil(T / 2)), TensorFlow's SAME, ONNX's
            SAME_UPPER; `"same_lower"` the other way round, ONNX's SAME_LOWER; `"half"`
            dilation_rate * (kernel_size // 2) on both sides; `"full"` (r, r) (Dumoulin & Visin);
            `"causal"` (r, 0) (van den Oord et al. 2016, arXiv:1609.03499); `"even_split"` (Wu et
            al. 2019, arXiv:1903.08385) as `same`, but where T is odd, channel i has the odd pixel
            at corner i mod 4 of an image, on side i mod 2 of a sequence; a non-negative int m
            (m, m); or, inside a sequence, a pair `(before, after)`. So `(1, 2)` is one pixel
            around axis 0 and two around axis 1, and the pair (1, 2) on the one axis of a sequence
            is `((1, 2),)`. `"input"` pads the image once for a whole network (Ronneberger et
            al. 2015, arXiv:1505.04597; Long et al. 2015, arXiv:1411.4038), which `models.build`
            resolves; no layer takes it. A map of n + before + after pixels gives
            floor((n + before + after - r - 1) / strides) + 1 outputs.
        mode: a name from `MODES`, whose files in `modes` say what the border holds, or a sequence
            with one of `AXIS_MODES` per axis.
        value: what mode `"constant"` writes: a number, or one per channel of the layer's input.

    Raises:
        PaddingError: for an unknown name, a negative number, or a value that no mode uses.

    Example:
        >>> padzoo.Padding(amount=["causal", "same"], mode="replicate")
        Padding(amount=('causal', 'same'), mode='replicate', value=0.0)
    """

    amount: Amount = "same"
    mode: Mode = ZEROS
    value: Value = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", read_amount(self.amount))
        object.__setattr__(self, "mode", read_mode(self.mode))
        object.__setattr__(self, "value", read_value(self.value))
        if self.value != 0.0 and not _takes_value(self.mode):
            taking = " and ".join(f"'{name}'" for name, mode in MODES.items() if mode.takes_value)
            raise PaddingError(
                f"`value` belongs to mode {taking} and is not used by any other. "
                f"Received: mode={self.mode!r}, value={self.value}"
            )

    @classmethod
    def of(cls, padding: Padding | str | Mapping[str, Any]) -> Padding:
        """Read a Padding, a name from `NAMED` or a dict of fields.

        Raises:
            PaddingError: for anything else.
        """
        if isinstance(padding, Padding):
            return padding
        if isinstance(padding, str):
            if padding not in NAMED:
                raise PaddingError(unknown("padding", padding, NAMED))
            return NAMED[padding]
        if isinstance(padding, Mapping):
            return cls.from_dict(padding)
        if callable(to_dict := getattr(padding, "to_dict", None)):
            return cls.from_dict(to_dict())  # a Padding of `padzoo`, where this is `models`
        raise PaddingError(
            "`padding` must be a Padding, a name or a dict with the fields amount, mode and "
            f"value. Received: padding={padding!r}"
        )

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Padding:
        """Read the dict that `to_dict` writes; missing fields take their defaults."""
        check_fields(fields)
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values: lists for tuples."""
        return {
            "amount": _plain(self.amount),
            "mode": _plain(self.mode),
            "value": _plain(self.value),
        }

    def replace(self, fields: Mapping[str, Any]) -> Padding:
        """Return this padding with other `fields`; a value no mode uses any more is dropped."""
        check_fields(fields)
        kept = {} if _takes_value(fields.get("mode", self.mode)) else {"value": 0.0}
        return dataclasses.replace(self, **{**kept, **fields})

    def overridden(self, by: Padding | str | Mapping[str, Any]) -> Padding:
        """Return what an override makes of this padding: a dict replaces fields, else all."""
        return self.replace(by) if isinstance(by, Mapping) else Padding.of(by)

    @property
    def mode_names(self) -> tuple[str, ...]:
        """The names of its modes: one, or one per axis where they are given by axis."""
        return self.mode if isinstance(self.mode, tuple) else (self.mode,)

    @property
    def draws(self) -> bool:
        """Whether the border is random in training."""
        return any(MODES[name].draws for name in self.mode_names)

    def amounts(self, rank: int) -> tuple[AxisAmount, ...]:
        """Return one amount per axis.

        Raises:
            PaddingError: if the amount lists another number of axes than `rank`.
        """
        return _per_axis("amount", self.amount, rank)

    def modes(self, rank: int) -> tuple[str, ...]:
        """Return one mode per axis; raises as `amounts` does."""
        return _per_axis("mode", self.mode, rank)

    def widths(
        self,
        sizes: Sequence[int | None],
        kernel_size: Sequence[int],
        strides: Sequence[int],
        dilation_rate: Sequence[int],
    ) -> Widths:
        """Return (before, after) in pixels for each axis of a map of `sizes`."""
        geometry = zip(sizes, kernel_size, strides, dilation_rate, strict=True)
        amounts = self.amounts(len(kernel_size))
        return tuple(pad_amounts(a, *axis) for a, axis in zip(amounts, geometry, strict=True))


def _takes_value(mode: Any) -> bool:
    names = mode if isinstance(mode, (list, tuple)) else (mode,)
    return any(name in MODES and MODES[name].takes_value for name in names)


def _per_axis(what: str, entry: Any, rank: int) -> tuple:
    if not isinstance(entry, tuple):
        return (entry,) * rank
    if len(entry) != rank:
        raise PaddingError(
            f"`{what}` must have one entry per axis: {rank} here, not {len(entry)}. "
            f"Received: {what}={_plain(entry)}"
        )
    return entry


def _plain(entry: Any) -> Any:
    return [_plain(part) for part in entry] if isinstance(entry, tuple) else entry


NAMED: dict[str, Padding] = {
    **{amount: Padding(amount) for amount in AMOUNTS},
    "causal_rows": Padding(("causal", "same")),
    "causal_columns": Padding(("same", "causal")),
    "explicit": Padding(1),
    "input": Padding(INPUT),
    **{mode: Padding("same", mode) for mode in MODES if mode != ZEROS},
    "latitude_longitude": Padding("same", ("replicate", "circular")),
}
