"""How a padding's plain values are read."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from .amounts import AMOUNTS, AxisAmount
from .checks import PaddingError, check_name
from .modes import MODES

INPUT = "input"  # the one amount that belongs to a network: models.build resolves it

Amount = AxisAmount | tuple[AxisAmount, ...]
Mode = str | tuple[str, ...]
Value = float | tuple[float, ...]


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raise PaddingError for a field that a padding does not have."""
    for name in fields:
        check_name("field of a padding", name, ("amount", "mode", "value"))


def _is_pixels(x: object) -> bool:
    return isinstance(x, numbers.Integral) and not isinstance(x, bool) and int(x) >= 0


def _is_sequence(x: object) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def read_amount(amount: Any) -> Amount:
    """Return an amount as str, int or tuples; raises PaddingError for anything else."""
    if isinstance(amount, str) and amount == INPUT:
        return INPUT
    if not _is_sequence(amount):
        return _read_axis_amount(amount)
    if not amount:
        raise PaddingError("An amount per axis needs at least one axis. Received: amount=[]")
    return tuple(_read_axis_amount(entry) for entry in amount)


def _read_axis_amount(amount: Any) -> AxisAmount:
    if isinstance(amount, str):
        if amount == INPUT:
            raise PaddingError(
                "'input' pads all axes of an image and stands alone, not in a list per axis."
            )
        if amount in AMOUNTS.broken:
            check_name("amount", amount, AMOUNTS)
        check_name("amount", amount, (*AMOUNTS, INPUT))
        return str(amount)
    if _is_pixels(amount):
        return int(amount)
    if _is_sequence(amount) and len(amount) == 2 and all(map(_is_pixels, amount)):
        return int(amount[0]), int(amount[1])
    raise PaddingError(
        f"An amount is one of {', '.join((*AMOUNTS, INPUT))}, a non-negative int, or a list with "
        "one entry per axis, where a pair [before, after] is allowed too. "
        f"Received: amount={amount!r}"
    )


def read_mode(mode: Any) -> Mode:
    """Return a mode as str or tuple; raises PaddingError for anything else."""
    if _is_sequence(mode) and mode:
        for entry in mode:
            check_name("mode", entry, MODES)
        return tuple(str(entry) for entry in mode)
    check_name("mode", mode, MODES)
    return str(mode)


def read_value(value: Any) -> Value:
    """Return a finite number, or one per channel, as floats; raises PaddingError otherwise."""
    numbers_given = tuple(value) if _is_sequence(value) else (value,)
    if not numbers_given or not all(map(_is_finite, numbers_given)):
        raise PaddingError(
            f"`value` must be a finite number, or a list of one per channel. Received: {value=}"
        )
    return tuple(map(float, value)) if _is_sequence(value) else float(value)


def _is_finite(x: object) -> bool:
    return isinstance(x, numbers.Real) and not isinstance(x, bool) and math.isfinite(x)
