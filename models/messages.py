"""What a message says of a name that does not exist, and of a shape that is likely another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

# An image has no more colours (with transparency), a recording no more series at once, and a grey
# image is not that low and, so many times its height, long.
MOST_COLOURS, MOST_SERIES, MOST_ROWS, LONG = 4, 64, 32, 4

Layout = Literal["channels_first", "series_first", "series_last"]
# What is said of an `input_shape` that is likely of another layout.
LAYOUTS: dict[Layout, str] = {
    "channels_first": "the channels seem to come first: they are the last number of `input_shape`",
    "series_first": "if these are sequences (channels, time): `input_shape` is (time, channels)",
    "series_last": "if these are sequences (time, channels): `input_shape` has those two alone",
}


def did_you_mean(name: object, allowed: Iterable[str]) -> str:
    """Return "did you mean same or valid?", at most three close names, or "" without any.

    Example: `did_you_mean("sme", ["same", "valid"])` is "did you mean same?".
    """
    found = difflib.get_close_matches(str(name), sorted(allowed), n=3)
    return f"did you mean {' or '.join(found)}?" if found else ""


def unknown(what: str, name: object, allowed: Iterable[str]) -> str:
    """Return the line for a name that does not exist: what is close, and what is allowed."""
    names = list(allowed)
    hint = did_you_mean(name, names)
    return f"unknown {what} '{name}': {hint}{' ' * bool(hint)}allowed: {', '.join(names)}"


def likely_layout(shape: Sequence[int | None]) -> Layout | None:
    """Return the layout that an example's shape likely has, if it is another than ours.

    An image of which the first axis is the smallest, and the last no number of colours, likely has
    its channels first; so does a sequence with far fewer steps than channels. A grey image that
    is low or narrow and long may be a recording.

    Example: `likely_layout((3, 32, 32))` is "channels_first"; `likely_layout((32, 32, 3))` is None.
    """
    if looks_channels_first(shape):
        return "channels_first"
    sizes = [n for n in shape if n is not None]
    if len(sizes) < 3 or sizes[2] > 1 or not _elongated(sizes[0], sizes[1], MOST_ROWS):
        return None
    return "series_last" if sizes[0] > sizes[1] else "series_first"


def looks_channels_first(shape: Sequence[int | None]) -> bool:
    """Return whether an example is likely (channels, height, width), or (channels, time)."""
    sizes = [n for n in shape if n is not None]
    if len(sizes) < len(shape):
        return False
    if len(sizes) == 2:
        return sizes[0] < sizes[1] and _elongated(sizes[0], sizes[1], MOST_SERIES)
    first, *rest = sizes
    return first < min(rest) and sizes[-1] > MOST_COLOURS and max(rest) <= LONG * min(rest)


def _elongated(one: int, other: int, most: int) -> bool:
    return min(one, other) <= most and LONG * min(one, other) <= max(one, other)
