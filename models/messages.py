"""What a message says of a name that does not exist, and of a shape that is likely another."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

# A picture has no more colours (with transparency), a recording no more series at once, and a grey
# picture is not that low and, so many times its height, long.
MOST_COLOURS, MOST_SERIES, MOST_ROWS, LONG = 4, 64, 32, 4


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


def layout_hint(shape: Sequence[int | None]) -> str:
    """Return what is to be said of an example's shape that is likely of another layout, or "".

    A picture of which the first axis is the smallest, and the last no number of colours, likely has
    its channels first; so does a sequence with far fewer steps than channels. A grey picture that
    is low or narrow and long may be a recording.

    Example: `layout_hint((3, 32, 32))` is "the channels seem to come first:
    data.layout=channels_first"; `layout_hint((32, 32, 3))` is "".
    """
    if looks_channels_first(shape):
        return "the channels seem to come first: data.layout=channels_first"
    sizes = [n for n in shape if n is not None]
    if len(sizes) < 3 or sizes[2] > 1 or not _elongated(sizes[0], sizes[1], MOST_ROWS):
        return ""
    series, setting = ("channels, time", "data.layout=channels_first")
    if sizes[0] > sizes[1]:
        series, setting = ("time, channels", "data.kind=sequence")
    return f"if these are sequences (n, {series}): {setting}"


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
