"""Rules of the lint about the sizes of an input at which a network exists."""

from __future__ import annotations

from ..tracing.line import Line, collapse, walk
from ..tracing.trace import Followed
from .finding import Finding
from .meeting import Mending, Sizes, mending, nearest_that_meet, sizes_that_meet
from .sizes import smallest
from .words import others, pixels, sides


def map_too_small(followed: Followed, axis: int, size: int | None) -> Finding | None:
    """At the size asked for a map shrinks to nothing, so that the network cannot be built."""
    gone = collapse(followed, axis, size) if size is not None else None
    if size is None or gone is None:
        return None
    name, left = gone
    least = smallest(followed, axis, size, lambda _: True, meet=False)
    # The first size from there on at which maps that meet are of one size too.
    works = least and (nearest_that_meet(followed, axis, least - 1)[1] or least)
    return Finding(
        "map_too_small",
        name,
        f"with an input of {pixels(size)} the network cannot be built: '{name}' leaves nothing of "
        f"its map of {pixels(left)}",
        f"an input of {works} pixels is the smallest that works"
        if works
        else "take a stride or a window away",
        "warning",
        (name,),
    )


def sizes_do_not_meet(followed: Followed, axis: int, size: int | None) -> Finding | None:
    """Branches differ in size: at the input's size, or, where that is unknown, at some sizes."""
    own = next((step.output_shape[1 + axis] for step in followed.steps), None)
    if size is not None:
        found = walk(followed, axis, size) if size != own else None
        return _at(followed, axis, found) if found and found.unmet else None
    sizes = sizes_that_meet(followed, axis)
    if sizes is None or sizes.all:
        return None
    return _at_some(followed, axis, sizes)


def _at(followed: Followed, axis: int, found: Line) -> Finding:
    first, maps = next(iter(found.unmet.items()))
    names = _branches(followed, first)
    near = [n for n in nearest_that_meet(followed, axis, found.size) if n]
    sizes = [f"use inputs of {' or '.join(map(str, near))} pixels"] * bool(near)
    shown = " and ".join(f"{n} ('{name}')" for n, name in zip(maps, names, strict=True))
    return Finding(
        "sizes_do_not_meet",
        first,
        f"with an input of {found.size} pixels the maps that meet at '{first}' have {shown} "
        f"pixels, {pixels(max(maps) - min(maps))} apart{others(found.unmet, first)}",
        "; or ".join([*sizes, *_mended(mending(followed, axis, found))]),
        "warning",
        tuple(found.unmet),
    )


def _mended(mended: Mending) -> list[str]:
    extra = ", ".join(f"output_padding={n} to '{name}'" for name, n in mended.extra.items())
    crops = ", ".join(f"{sides(*crop)} from '{name}'" for name, crop in mended.crops.items())
    return [f"give {extra}"] * bool(extra) + [f"crop {crops} (padzoo.align does)"] * bool(crops)


def _at_some(followed: Followed, axis: int, sizes: Sizes) -> Finding:
    unmet: dict[str, None] = {}
    for size in range(sizes.least, sizes.least + sizes.period):
        there = walk(followed, axis, size)
        unmet |= dict.fromkeys(there.unmet if there else ())
    first = next(step.name for step in followed.steps if step.name in unmet)
    if not sizes.remainders:
        message = f"the maps that meet at '{first}' differ in size whatever the input's is"
        remedy = "crop them with padzoo.align, or give a transposed layer another output_padding"
    else:
        unit = " pixels" * (len(sizes.remainders) == 1)
        message = (
            f"the maps that meet at '{first}' are of one size only for inputs of {sizes}{unit}"
        )
        remedy = "give inputs of such sizes, or crop the maps with padzoo.align"
    return Finding(
        "sizes_do_not_meet",
        first,
        message + others(unmet, first),
        remedy,
        "note" if sizes.remainders else "warning",
        tuple(unmet),
    )


def _branches(followed: Followed, merge: str) -> list[str]:
    step = next(step for step in followed.steps if step.name == merge)
    return [followed.writers[i].name for i in followed.maps(step)]
