"""Rules of the lint about strides: whether they treat both sides alike, and how branches meet."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ..tracing.fields import Rational
from ..tracing.line import Line, line
from ..tracing.rows import Row
from .finding import Axis, Finding
from .sizes import nearest
from .words import names, others, pixels, sides


def misaligned_merge(axis: Axis) -> Finding | None:
    """Branches that meet see different places: their fields' centres do not coincide."""
    apart = _apart(axis, axis.line)
    if not apart:
        return None
    worst = max(apart, key=lambda name: apart[name])
    row = axis.rows[worst]
    branches = ", ".join(f"'{name}'" for name in row.inputs)
    stride = row.effective_stride[axis.number]
    sizes = _sizes(axis, lambda found: not _apart(axis, found))
    return Finding(
        "misaligned_merge",
        worst,
        f"the maps that meet at '{worst}' lie {pixels(apart[worst])} of the input apart, "
        f"{float(apart[worst] / stride):g} of their own: {branches}{others(apart, worst)}",
        (f"give {sizes}; or " if sizes else "")
        + "give the branches the same pad before and after their strides, or crop them with "
        "padzoo.align",
        "warning",
        tuple(apart),
    )


def one_sided_padding(axis: Axis) -> Finding | None:
    """A strided layer pads one side more than the other at this size."""
    found = [slide for slide in axis.line.slides if slide.one_sided]
    if not found:
        return None
    first = found[0]
    return Finding(
        "one_sided_padding",
        first.name,
        f"with a stride of {first.stride}, '{first.name}' pads its map of {first.size} by "
        f"{first.before} before and {first.after} after, which moves it "
        f"{pixels(abs(first.after - first.before) * first.stride_before / 2)} of the input"
        f"{others(names(found), first.name)}",
        _even_sizes(axis),
        "warning",
        names(found),
    )


def unread_padding(axis: Axis) -> Finding | None:
    """Padding that no output reads: the stride ends before it."""
    found = {
        name: used.unread_pad[axis.number]
        for name, used in axis.used.items()
        if used.unread_pad and any(used.unread_pad[axis.number])
    }
    if not found:
        return None
    first = next(iter(found))
    before, after = found[first]
    return Finding(
        "unread_padding",
        first,
        f"of the padding of '{first}' {sides(before, after)} the map is never read, so that the "
        f"border counts less on that side{others(found, first)}",
        _even_sizes(axis),
        "warning",
        tuple(found),
    )


def unread_input(axis: Axis) -> Finding | None:
    """Content at the end of a map that no layer reads: the stride ends before it."""
    lost = _lost(axis)
    found = {
        name: axis.used[name].unread[axis.number]
        for name, row in axis.rows.items()
        if axis.used[name].unread
        and _slides(row)
        and any(axis.used[name].unread[axis.number])
        and any(lost[_origin(axis, row.inputs[0])])
    }
    if not found:
        return None
    first = next(iter(found))
    before, after = found[first]
    return Finding(
        "unread_input",
        first,
        f"'{first}' leaves part of its map unread, {sides(before, after)} what it reads, and no "
        f"other layer reads it{others(found, first)}",
        _even_sizes(axis),
        "warning",
        tuple(found),
    )


def even_kernel_drift(axis: Axis) -> Finding | None:
    """Even windows padded more on one side, each half a pixel, add up."""
    uneven = {
        slide.name: Fraction(slide.after - slide.before, 2) * slide.stride_before
        for slide in axis.line.slides
        if slide.stride == 1
        and slide.span % 2 == 0
        and not slide.causal
        and abs(slide.after - slide.before) == 1
    }
    moved: dict[str, Fraction] = {}
    for name, row in axis.rows.items():
        before = max((moved.get(i, Fraction()) for i in row.inputs), key=abs, default=Fraction())
        moved[name] = before + uneven.get(name, Fraction())
    total = moved[axis.last.name]
    if not total:
        return None
    first, step = next(iter(uneven)), axis.field.effective_stride
    return Finding(
        "even_kernel_drift",
        first,
        f"'{first}' has an even window and pads one side more, half a pixel"
        f"{others(uneven, first)}; in all the last map is off by {pixels(abs(total))} of the "
        f"input, {float(abs(total) / step):g} of its own",
        "use odd kernels, or padding='even_split', which pads another side with each channel",
        "warning",
        tuple(uneven),
    )


def _apart(axis: Axis, found: Line) -> dict[str, Rational]:
    """The merges whose branches lie apart; causal ones meet by their newest pixel."""
    backwards = axis.causal or len(axis.last.output_size) == 1
    return {
        name: ends if axis.causal else centres
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
    return (0, 0) if _moves(row) or row.whole[axis.number] else lost[reader]


def _origin(axis: Axis, name: str) -> str:
    """The row where a map's pixels come from: layers that work on each pixel alone pass it on."""
    row = axis.rows[name]
    while len(row.inputs) == 1 and not _slides(row) and not _moves(row):
        name, row = row.inputs[0], axis.rows[row.inputs[0]]
    return name


def _moves(row: Row) -> bool:
    return any(any(pad) for pad in row.pad if pad)


def _slides(row: Row) -> bool:
    return any(n > 1 for n in (*row.kernel_size, *row.strides))


def _sizes(
    axis: Axis, wanted: Callable[[Line], bool], *, anew: bool = False, meet: bool = True
) -> str:
    """The nearest sizes at which a network is as wanted, in words; empty if there are none."""
    at = axis.followed, axis.number, axis.size
    near = nearest(*at, wanted, axis.period, anew=anew, meet=meet)
    found = [n for n in near if n]
    return f"inputs of {' or '.join(map(str, found))} pixels" if found else ""


def _even_sizes(axis: Axis) -> str:
    """At which sizes every stride takes the same of both sides, or what else to do."""
    if any(slide.written and slide.stride > 1 for slide in axis.line.slides):
        return _written_sizes(axis)
    if sizes := _sizes(axis, lambda found: found.even):
        return f"use {sizes}: every stride then takes the same of both sides"
    where = " at which all maps meet" if _sizes(axis, lambda found: found.even, meet=False) else ""
    return f"no size{where} suits all strides: change a kernel, a stride or an amount"


def _written_sizes(axis: Axis) -> str:
    """The same where pads stand in layers of their own, of one size or worked out from it."""
    advice = "give every ZeroPadding before a stride the same on both sides"
    here = line(axis.followed, axis.number, axis.size, anew=True)
    sizes = _sizes(axis, lambda found: found.even, anew=True)
    if not sizes or (here and here.even):
        return advice
    return (
        f"build the network for {sizes}, if it works its pads out from its input as Keras' "
        f"MobileNetV2 does; else {advice}"
    )
