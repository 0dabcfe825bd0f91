"""Rules of the lint about sizes: of the image, of maps, fields and borders, and of memory."""

from __future__ import annotations

from .finding import Axis, Finding
from .sizes import smallest
from .words import names, others, steps

# Global pooling averages what the last map's outputs saw, none of them the whole image. Below a
# half of it, in either direction, no output sees both sides of the object in the middle. It may
# be meant: BagNet reads ImageNet in patches of 33 of 224 pixels (Brendel & Bethge 2019,
# arXiv:1904.00760).
SMALL_FIELD = 1 / 2
# From four times the image on, 15/16 of the area that an output could see is border. VGG16 has
# 0.9 and ResNet-50 2.2 times the size they were made for. Deeper ones go beyond four and do well,
# Inception v3 to 4.4 and DenseNet-121 to 9.2, because an output weighs what is far off little (Luo
# et al. 2016, arXiv:1701.04128): it is a note. Small images take any of them there.
LARGE_FIELD = 4


def small_receptive_field(axis: Axis) -> Finding | None:
    """The last map's outputs see much less than the image."""
    seen, gated = axis.field.receptive_field, any(row.gated for row in axis.rows.values())
    if axis.causal or gated or axis.whole or seen >= SMALL_FIELD * axis.size:
        return None
    return Finding(
        "small_receptive_field",
        axis.last.name,
        f"an output of the last map sees {seen} of {axis.size} pixels, less than half",
        "add layers, strides or dilation, or use smaller inputs, unless local evidence is meant",
        "note",
        (axis.last.name,),
    )


def large_receptive_field(axis: Axis) -> Finding | None:
    """The last map's outputs see mostly border."""
    seen = axis.field.receptive_field
    if axis.causal or seen <= LARGE_FIELD * axis.size:
        return None
    return Finding(
        "large_receptive_field",
        axis.last.name,
        f"an output of the last map sees {seen} pixels and the image has {axis.size}: most of "
        "its field is border",
        f"use inputs of at least {-(-seen // LARGE_FIELD)} pixels, or fewer strides",
        "note",
        (axis.last.name,),
    )


def whole_map(axis: Axis) -> Finding | None:
    """A normalisation over space: each output depends on all pixels, however small its field."""
    if axis.causal or not axis.whole:
        return None
    first = axis.whole[0]
    return Finding(
        "whole_map",
        first,
        f"'{first}' sums over all pixels of its map, so that from there on every output depends on "
        f"all of them, and what a border holds reaches all{others(axis.whole, first)}",
        "normalise over the batch or over the channels (BatchNormalization, LayerNormalization on "
        "the last axis) where only the field is meant to count",
        "note",
        axis.whole,
    )


def one_pixel_map(axis: Axis) -> Finding | None:
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


def map_smaller_than_window(axis: Axis) -> Finding | None:
    """A window is larger than the map it slides over: its outermost weights see border only."""
    narrow = [slide for slide in axis.line.slides if slide.span > slide.size]
    if not narrow:
        return None
    first = narrow[0]
    size = smallest(axis.followed, axis.number, axis.size, lambda found: found.roomy)
    return Finding(
        "map_smaller_than_window",
        first.name,
        f"the window of '{first.name}' spans {first.span} pixels and its map has {first.size}: "
        f"its outer weights read mostly border{others(names(narrow), first.name)}",
        _at_least(size, "gives every window a map of its size")
        or "take a stride or a dilation away",
        "note",
        names(narrow),
    )


def repeated_border(axis: Axis) -> Finding | None:
    """A border that copies its map is wider than the map: the content repeats."""
    found = [name for name, used in axis.used.items() if used.wrapped and used.wrapped[axis.number]]
    if not found:
        return None
    pad = max(axis.rows[found[0]].pad[axis.number] or (0, 0))
    return Finding(
        "repeated_border",
        found[0],
        f"'{found[0]}' adds {pad} pixels, more than its map has to copy, so that the border "
        f"repeats itself{others(found, found[0])}",
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
    remedies = ["pad it causally too (padding='causal', pools='follow'), or pad before it only"]
    if axis.whole:
        ahead |= {name: (axis.rows[name].output_size[axis.number] or 1) - 1 for name in axis.whole}
        remedies = remedies[: len(ahead) > len(axis.whole)] + ["normalise over the channels alone"]
    if not ahead:
        return None
    first = next(iter(ahead))
    return Finding(
        "looks_ahead",
        first,
        f"the network is causal, but '{first}' looks ahead by {steps(ahead[first])} of its map"
        f"{others(ahead, first)}",
        "; ".join(remedies),
        "warning",
        tuple(ahead),
    )


def short_memory(axis: Axis) -> Finding | None:
    """A causal stack sees less than the sequence."""
    seen = axis.field.receptive_field
    if not axis.causal or axis.whole or seen >= axis.size:
        return None
    return Finding(
        "short_memory",
        axis.last.name,
        f"the last output sees {seen} of {axis.size} steps",
        "add levels or dilation, or use a larger kernel, unless what is older does not matter",
        "note",
        (axis.last.name,),
    )


def _at_least(size: int | None, what: str) -> str:
    return f"an input of {size} pixels {what}" if size else ""
