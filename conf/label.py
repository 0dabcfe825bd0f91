"""The short name of a padding, as in folder names, tables and pictures."""

from __future__ import annotations

from typing import Any

from models.padding import MODES, NAMED, Padding

# Paddings that differ between the axes have a name of their own here, if conf/padding has one.
_BY_AXIS = {
    padding: name
    for name, padding in NAMED.items()
    if isinstance(padding.amount, tuple) or isinstance(padding.mode, tuple)
}


def of_padding(padding: Padding) -> str:
    """The amount, the mode, or both: same, reflect, full-reflect, constant0.5, causal_rows."""
    if padding in _BY_AXIS:
        return _BY_AXIS[padding]
    amount, mode = of_amount(padding.amount), of_mode(padding.mode, padding.value)
    return amount if mode == "zeros" else mode if amount == "same" else f"{amount}-{mode}"


def of_amount(amount: Any) -> str:
    """An amount: 1; by axis same_half or 1_2; 1+2_0+1 if before and after differ."""
    parts = [_pixels(part) for part in amount] if isinstance(amount, tuple) else [_pixels(amount)]
    return parts[0] if len(set(parts)) == 1 else "_".join(parts)


def of_mode(mode: Any, value: Any = 0.0) -> str:
    """A mode: reflect; by axis reflect_zeros; a constant with its number, constant0.5."""
    modes = mode if isinstance(mode, tuple) else (mode,)
    parts = [f"{m}{_number(value)}" if MODES[m].takes_value else m for m in modes]
    return parts[0] if len(set(parts)) == 1 else "_".join(parts)


def _pixels(amount: Any) -> str:
    if isinstance(amount, tuple) and amount[0] != amount[1]:
        return f"{amount[0]}+{amount[1]}"
    return str(amount[0] if isinstance(amount, tuple) else amount)


def _number(value: Any) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)
