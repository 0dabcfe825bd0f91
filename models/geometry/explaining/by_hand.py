"""One axis of a convolution, a pool and a transposed convolution, worked by hand. No framework.

The input is 1, 2, 3, … and the kernel 1, 2, 3, …, so that a flipped kernel gives other numbers,
unless `Numbers` has an `x` or a `w` of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from .relationships import Numbers, slid, stamped

WRITTEN = 6  # outputs; of more, the first four and the last
PIXELS = 12  # of a map; of more, the first and the last ones

Taps = list[tuple[int, int]]  # (kernel's weight, pixel's value) of one output


def work(kind: str, n: Numbers) -> list[str]:
    """Return the lines that work an axis."""
    return {"conv": _convolution, "pool": _pool, "transposed": _transposed}[kind](n)


def pixels(n: Numbers) -> list[int]:
    """Return the input: its `x`, or 1, 2, 3, …"""
    return list(n.x or range(1, n.input + 1))


def weights(n: Numbers) -> list[int]:
    """Return the kernel: its `w`, or 1, 2, 3, …"""
    return list(n.w or range(1, n.kernel + 1))


def correlate(n: Numbers, w: Sequence[int]) -> list[Taps]:
    """Return what each output of a sliding window adds up, zeros of the border included."""
    padded = [0] * n.pad + pixels(n) + [0] * n.pad
    firsts = (n.stride * out for out in range(slid(n)))
    return [[(w[j], padded[first + j * n.dilation]) for j in range(n.kernel)] for first in firsts]


def spread(n: Numbers) -> list[Taps]:
    """Return what each output of a transposed convolution adds up.

    Pixel x of the input adds w[j] x to place s x + j; p places are cut off each end, and a are
    added at the last.
    """
    places: list[Taps] = [[] for _ in range(stamped(n) + 2 * n.pad)]
    for at, value in enumerate(pixels(n)):
        for j, weight in enumerate(weights(n)):
            if at * n.stride + j < len(places):
                places[at * n.stride + j].append((weight, value))
    return places[n.pad : n.pad + stamped(n)]


def total(taps: Taps) -> int:
    """Return the sum of products."""
    return sum(weight * value for weight, value in taps)


def _convolution(n: Numbers) -> list[str]:
    w = weights(n)
    return [
        "by hand",
        f"  input x   {_bordered(n, 0)}",
        f"  kernel w  {_listed(w)}" + (f"   every {n.dilation} pixels" if n.dilation > 1 else ""),
        "",
        "  cross-correlation: the kernel as it is. This is what the convolutions of deep-learning",
        "  libraries compute, Keras' too",
        *_sums(correlate(n, w)),
        "",
        f"  convolution, as mathematics defines it: the kernel flipped, {_listed(w[::-1])}",
        *_sums(correlate(n, w[::-1])),
        "",
        "  A network learns its kernel, so the two can do the same; numbers carried from one to",
        "  the other must be flipped.",
    ]


def _pool(n: Numbers) -> list[str]:
    padded: list[int | None] = [None] * n.pad + pixels(n) + [None] * n.pad
    lines = ["by hand", f"  input x  {_bordered(n, '–')}"]
    written = []
    for out in range(slid(n)):
        seen = padded[n.stride * out : n.stride * out + n.kernel]
        there = [value for value in seen if value is not None]
        if not there:
            written.append(f"  y{out}  sees only border")
            continue
        shown = ", ".join(map(str, there))
        added = " + ".join(map(_factor, there))
        written.append(
            f"  y{out}  max({shown}) = {max(there)}   average ({added}) / {len(there)} = "
            f"{sum(there) / len(there):g}"
        )
    if n.pad:
        lines.append("  The border does not count: max leaves it out, the average divides by the")
        lines.append("  pixels that are there, as TensorFlow's SAME pools do.")
    return [*lines, *_shortened(written)]


def _transposed(n: Numbers) -> list[str]:
    w = weights(n)
    after = (
        f"p − a = {n.pad - n.output_padding} off the last"
        if n.output_padding
        else "as much off the last"
    )
    ends = [f"  Of the row p = {n.pad} is cut off the first end, and {after}."] if n.pad else []
    zeros = [0] * (n.stride - 1)
    stretched = [value for x in pixels(n) for value in (x, *zeros)][: n.stride * (n.input - 1) + 1]
    stretched += [0] * n.output_padding
    reach = n.window - n.pad - 1
    return [
        "by hand",
        f"  input x   {_listed(pixels(n))}",
        f"  kernel w  {_listed(w)}",
        "",
        f"  Each pixel of the input puts down the kernel, times itself, {n.stride} further on each",
        "  time; what falls on one place is added.",
        *(ends if n.pad else []),
        *_sums(spread(n)),
        "",
        "  The same as a convolution by stride 1 over the stretched and padded input: the kernel",
        f"  flipped, {_listed(w[::-1])}, because the transposed layer of deep-learning libraries",
        "  is the gradient of their cross-correlation",
        f"  {_listed([0] * reach + stretched + [0] * reach)}",
    ]


def _sums(outputs: list[Taps]) -> list[str]:
    lines = []
    for out, taps in enumerate(outputs):
        products = " + ".join(f"{_factor(weight)}·{_factor(value)}" for weight, value in taps)
        lines.append(f"  y{out} = {f'{products} = ' if taps else ''}{total(taps)}")
    return _shortened(lines)


def _factor(number: int) -> str:
    return str(number) if number >= 0 else f"({number})"


def _shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= WRITTEN else [*lines[: WRITTEN - 2], "  …", lines[-1]]


def _bordered(n: Numbers, border: object) -> str:
    return _listed([f"[{border}]"] * n.pad + pixels(n) + [f"[{border}]"] * n.pad)


def _listed(values: Sequence[object]) -> str:
    shown = [str(value) for value in values]
    if len(shown) > PIXELS:
        shown = [*shown[: PIXELS - 3], "…", *shown[-2:]]
    return " ".join(shown)
