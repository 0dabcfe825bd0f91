"""The rules of the lint: one function each, from an axis of a network to a finding or None."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from models.geometry.lint import Axis, Finding
from models.geometry.rows import Row
from models.geometry.sizes import Line, Slide, nearest, smallest

Rule = Callable[[Axis], Finding | None]
NAMED = 4  # layers in a message

# Global pooling averages what the last map's outputs saw, none of them the whole picture. Below a
# half of it, in either direction, no output sees both sides of the object in the middle. It may
# be meant: BagNet reads ImageNet in patches of 33 of 224 pixels (Brendel & Bethge 2019,
# arXiv:1904.00760).
SMALL_FIELD = 1 / 2
# From four times the picture on, 15/16 of the area that an output could see is border. Published
# networks stay near or below it at the size they were made for (ResNet-50 2.2, ResNet-101 4.6,
# Inception v3 4.4: Araujo et al. 2019), and small pictures take them far beyond it.
LARGE_FIELD = 4


def misaligned(axis: Axis) -> Finding | None:
    """Branches that meet see different places: their fields' centres do not coincide."""
    apart = _apart(axis, axis.line)
    if not apart:
        return None
    worst = max(apart, key=lambda name: apart[name])
    row = axis.rows[worst]
    branches = " and ".join(f"'{name}'" for name in row.inputs[:NAMED])
    stride = row.effective_stride[axis.number]
    sizes = _sizes(axis, lambda found: not _apart(axis, found))
    return Finding(
        "misaligned_merge",
        worst,
        f"{_layers(apart, 'merge')} join maps that lie apart: at '{worst}' the branches {branches} "
        f"by {_pixels(apart[worst])} of the input, {apart[worst] / stride:g} of their maps'",
        (f"give {sizes}; or " if sizes else "")
        + "give the branches the same pad before and after their strides, or crop them with "
        "layers.align",
        "warning",
        tuple(apart),
    )


def one_sided(axis: Axis) -> Finding | None:
    """A strided layer pads one side more than the other at this size."""
    found = [
        slide
        for slide in axis.line.slides
        if slide.stride > 1 and slide.before != slide.after and not slide.causal
    ]
    if not found:
        return None
    first = found[0]
    return Finding(
        "one_sided_padding",
        first.name,
        f"{_layers(_names(found))} with stride pad one side only or more: '{first.name}' adds "
        f"{first.before} before and {first.after} after its map of {first.size}, which moves "
        "everything behind it",
        _even_sizes(axis),
        "warning",
        _names(found),
    )


def unread_padding(axis: Axis) -> Finding | None:
    """Padding that no output reads: the stride ends before it."""
    sides = {
        name: used.unread_pad[axis.number]
        for name, used in axis.used.items()
        if used.unread_pad and any(used.unread_pad[axis.number])
    }
    if not sides:
        return None
    first = next(iter(sides))
    before, after = sides[first]
    return Finding(
        "unread_padding",
        first,
        f"{_layers(sides)} add padding that is never read: at '{first}' {_sides(before, after)}; "
        "the border counts on one side only",
        _even_sizes(axis),
        "warning",
        tuple(sides),
    )


def unread_rows(axis: Axis) -> Finding | None:
    """Content at the end of a map that no layer reads: the stride ends before it."""
    lost = _lost(axis)
    found = {
        name: axis.used[name].unread[axis.number]
        for name, row in axis.rows.items()
        if axis.used[name].unread
        and _slides(row)
        and any(axis.used[name].unread[axis.number])
        and any(lost[row.inputs[0]])
    }
    if not found:
        return None
    first = next(iter(found))
    before, after = found[first]
    return Finding(
        "unread_input",
        first,
        f"{_layers(found)} leave part of their map unread: '{first}' {_sides(before, after)}, "
        "and no other layer reads it",
        _even_sizes(axis),
        "warning",
        tuple(found),
    )


def drift(axis: Axis) -> Finding | None:
    """Even windows padded more on one side, each half a pixel, add up."""
    uneven = {
        slide.name: (slide.after - slide.before) / 2 * slide.stride_before
        for slide in axis.line.slides
        if slide.stride == 1
        and slide.span % 2 == 0
        and not slide.causal
        and abs(slide.after - slide.before) == 1
    }
    moved: dict[str, float] = {}
    for name, row in axis.rows.items():
        before = max((moved.get(i, 0.0) for i in row.inputs), key=abs, default=0.0)
        moved[name] = before + uneven.get(name, 0.0)
    total = moved[axis.last.name]
    if not total:
        return None
    step = axis.field.effective_stride
    return Finding(
        "even_kernel_drift",
        next(iter(uneven)),
        f"{_layers(uneven)} have an even window and pad one side more, half a pixel each time: "
        f"the last map lies {_pixels(abs(total))} of the input off, {abs(total) / step:g} of its "
        "own",
        "use odd kernels, or padding=even_split, which pads another side with each channel",
        "warning",
        tuple(uneven),
    )


def small_field(axis: Axis) -> Finding | None:
    """The last map's outputs see much less than the picture."""
    seen, gated = axis.field.receptive_field, any(row.gated for row in axis.rows.values())
    if axis.causal or gated or seen >= SMALL_FIELD * axis.size:
        return None
    return Finding(
        "small_receptive_field",
        axis.last.name,
        f"an output of the last map sees {seen} of {axis.size} pixels, less than half",
        "add layers, strides or dilation, or use smaller inputs, unless local evidence is meant",
        "note",
        (axis.last.name,),
    )


def large_field(axis: Axis) -> Finding | None:
    """The last map's outputs see mostly border."""
    seen = axis.field.receptive_field
    if axis.causal or seen <= LARGE_FIELD * axis.size:
        return None
    return Finding(
        "large_receptive_field",
        axis.last.name,
        f"an output of the last map sees {seen} pixels and the picture has {axis.size}: most of "
        "its field is border",
        f"use inputs of at least {-(-seen // LARGE_FIELD)} pixels, or fewer strides",
        "note",
        (axis.last.name,),
    )


def one_pixel(axis: Axis) -> Finding | None:
    """The last map is a single pixel."""
    if axis.size == 1 or axis.line.last > 1:
        return None
    size = smallest(axis.followed, axis.number, axis.size, lambda found: found.last > 1)
    return Finding(
        "one_pixel_map",
        axis.last.name,
        "the last map is a single pixel: there is nothing left to pool",
        _at_least(size, "keeps more than one") or "take a stride away",
        "note",
        (axis.last.name,),
    )


def narrow_map(axis: Axis) -> Finding | None:
    """A window is larger than the map it slides over: its outermost weights see border only."""
    found = [slide for slide in axis.line.slides if slide.span > slide.size]
    if not found:
        return None
    first = found[0]
    size = smallest(axis.followed, axis.number, axis.size, lambda line: line.roomy)
    return Finding(
        "map_smaller_than_window",
        first.name,
        f"{_layers(_names(found))} have a window larger than their map: '{first.name}' spans "
        f"{first.span} pixels and its map has {first.size}",
        _at_least(size, "gives every window a map of its size")
        or "take a stride or a dilation away",
        "note",
        _names(found),
    )


def wrapped(axis: Axis) -> Finding | None:
    """A border that copies its map is wider than the map: the content repeats."""
    found = [name for name, used in axis.used.items() if used.wrapped and used.wrapped[axis.number]]
    if not found:
        return None
    pad = max(axis.rows[found[0]].pad[axis.number] or (0, 0))
    return Finding(
        "repeated_border",
        found[0],
        f"{_layers(found)} have a border wider than what there is to copy: '{found[0]}' adds {pad} "
        "pixels, and its content repeats",
        "use larger inputs, a smaller pad, or a mode that copies nothing, such as zeros",
        "warning",
        tuple(found),
    )


def looks_ahead(axis: Axis) -> Finding | None:
    """A layer of a causal stack sees what comes later."""
    if not axis.causal:
        return None
    ahead = {
        slide.name: slide.span - 1 - slide.before
        for slide in axis.line.slides
        if slide.span - 1 > slide.before
    }
    if not ahead:
        return None
    first = next(iter(ahead))
    return Finding(
        "looks_ahead",
        first,
        f"the network is causal, but {_layers(ahead)} look ahead: '{first}' by "
        f"{_steps(ahead[first])} of its own map",
        "pad it causally too (padding=causal, padding.pools=follow), or pad before it only",
        "warning",
        tuple(ahead),
    )


def short_memory(axis: Axis) -> Finding | None:
    """A causal stack sees less than the sequence."""
    seen = axis.field.receptive_field
    if not axis.causal or seen >= axis.size:
        return None
    return Finding(
        "short_memory",
        axis.last.name,
        f"the last output sees {seen} of {axis.size} steps",
        "add levels or dilation, or use a larger kernel, unless what is older does not matter",
        "note",
        (axis.last.name,),
    )


RULES: tuple[Rule, ...] = (
    misaligned,
    one_sided,
    unread_padding,
    unread_rows,
    drift,
    wrapped,
    looks_ahead,
    small_field,
    large_field,
    short_memory,
    one_pixel,
    narrow_map,
)


def _apart(axis: Axis, found: Line) -> dict[str, float]:
    """The merges whose branches lie apart; causal ones meet by their newest pixel."""
    backwards = axis.causal or len(axis.last.output_size) == 1
    return {
        name: centres
        for name, (centres, ends) in found.apart.items()
        if centres and (ends or not backwards)
    }


def _lost(axis: Axis) -> dict[str, tuple[int, int]]:
    """For each row how many of its outermost pixels (before, after) none of its readers reads."""
    readers: dict[str, list[str]] = {name: [] for name in axis.rows}
    for name, row in axis.rows.items():
        for i in row.inputs:
            readers[i].append(name)
    lost: dict[str, tuple[int, int]] = {}
    for name in reversed(axis.rows):
        left = [_left_by(axis, reader, lost) for reader in readers[name]] or [(0, 0)]
        lost[name] = min(a for a, _ in left), min(b for _, b in left)
    return lost


def _left_by(axis: Axis, reader: str, lost: dict[str, tuple[int, int]]) -> tuple[int, int]:
    row = axis.rows[reader]
    if not row.output_size:
        return 0, 0
    if _slides(row):
        return axis.used[reader].unread[axis.number] if axis.used[reader].unread else (0, 0)
    moves = any(any(pad) for pad in row.pad if pad)
    return (0, 0) if moves else lost[reader]


def _slides(row: Row) -> bool:
    return any(n > 1 for n in (*row.kernel_size, *row.strides))


def _sizes(axis: Axis, wanted: Callable[[Line], bool]) -> str:
    """The nearest sizes at which a network is as wanted, in words; empty if there are none."""
    found = [n for n in nearest(axis.followed, axis.number, axis.size, wanted, axis.period) if n]
    return f"inputs of {' or '.join(map(str, found))} pixels" if found else ""


def _even_sizes(axis: Axis) -> str:
    sizes = _sizes(axis, lambda found: found.even)
    if sizes:
        return f"use {sizes}: every stride then takes the same of both sides"
    return "no size near this one suits all strides: change a kernel, a stride or an amount"


def _at_least(size: int | None, what: str) -> str:
    return f"an input of {size} pixels {what}" if size else ""


def _names(slides: Iterable[Slide]) -> tuple[str, ...]:
    return tuple(slide.name for slide in slides)


def _layers(names: Iterable[str], what: str = "layer") -> str:
    """'3 layers (a, b, c)'; one is named alone."""
    names = list(names)
    if len(names) == 1:
        return f"{what} '{names[0]}'"
    shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
    return f"{len(names)} {what}s ({shown})"


def _sides(before: int, after: int) -> str:
    parts = [f"{n} {side}" for n, side in ((before, "before"), (after, "after")) if n]
    return " and ".join(parts)


def _pixels(n: float) -> str:
    return f"{n:g} pixel{'' if n == 1 else 's'}"


def _steps(n: int) -> str:
    return f"{n} step{'' if n == 1 else 's'}"
