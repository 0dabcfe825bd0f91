"""The words that findings are made of."""

from __future__ import annotations

from collections.abc import Iterable

from ..tracing.fields import Rational
from ..tracing.line import Slide

NAMED = 4  # other layers in a message


def names(slides: Iterable[Slide]) -> tuple[str, ...]:
    """Return what the windows are called."""
    return tuple(slide.name for slide in slides)


def others(layers: Iterable[str], first: str) -> str:
    """Return "; likewise a, b, c, d and 3 more", or nothing where there is but the first."""
    rest = [name for name in layers if name != first]
    if not rest:
        return ""
    more = f" and {len(rest) - NAMED} more" if len(rest) > NAMED else ""
    return f"; likewise {', '.join(rest[:NAMED])}{more}"


def sides(before: int, after: int) -> str:
    """Return "1 pixel before and 2 after" without the side that has none."""
    parts = [f"{n} {side}" for n, side in ((before, "before"), (after, "after")) if n]
    return " and ".join(parts).replace(" ", f" pixel{'' if (before or after) == 1 else 's'} ", 1)


def pixels(n: Rational | float) -> str:
    """Return "1 pixel", "2.5 pixels"."""
    return f"{float(n):g} pixel{'' if n == 1 else 's'}"


def steps(n: int) -> str:
    """Return "1 step", "3 steps"."""
    return f"{n} step{'' if n == 1 else 's'}"
