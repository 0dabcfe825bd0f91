"""Convolution arithmetic told step by step, with the numbers in. No framework.

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning"
(arXiv:1603.07285); its letters and numbers are those of `models.geometry.explaining.relationships`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from . import by_hand
from .relationships import (
    DEFAULTS,
    ExplainError,
    Numbers,
    read,
    relationships,
    slid,
    stamped,
)


def explain(kind: str, x: Sequence[int] = (), w: Sequence[int] = (), **numbers: int) -> str:
    """Tell how large the output of a layer is and why, and work one axis by hand.

    Args:
        kind: "conv", "pool" or "transposed".
        x: the input that is worked by hand, whose length is its size; empty for 1, 2, 3, …
        w: the kernel, likewise; a pool has none.
        **numbers: of `NUMBERS`; what is missing is taken from `DEFAULTS`.

    Raises:
        ExplainError: for an unknown kind or number, or numbers that belong to no layer.

    Example:
        >>> "y2 = 8·3 + 2·4 + 2·1 = 34" in explain("conv", (3, 4, 1), (2, 2, 8), stride=1, pad=2)
        True
    """
    for name, values, sized in (("x", x, "input"), ("w", w, "kernel")):
        if values and numbers.setdefault(sized, len(values)) != len(values):
            raise ExplainError(
                f"{name} has {len(values)} numbers, so {sized} is not needed; got "
                f"{sized}={numbers[sized]}"
            )
    if w and kind == "pool":
        raise ExplainError("w means nothing for pool, which has no weights")
    n = replace(read(kind, **numbers), x=tuple(x), w=tuple(w))
    blocks = [_title(kind, n), _steps(kind, n), _formulas(kind, n), by_hand.work(kind, n)]
    return "\n\n".join("\n".join(block) for block in blocks)


def _title(kind: str, n: Numbers) -> list[str]:
    names = {"conv": "convolution", "pool": "pool", "transposed": "transposed convolution"}
    text = f"A {names[kind]}: input i = {n.input}, kernel k = {n.kernel}, stride s = {n.stride}"
    text += f", padding p = {n.pad} on each side"
    if n.dilation > 1:
        text += f", dilation d = {n.dilation}"
    if n.output_padding:
        text += f", output padding a = {n.output_padding}"
    return [text]


def _steps(kind: str, n: Numbers) -> list[str]:
    return ["step by step", *(_stamping(n) if kind == "transposed" else _sliding(n))]


def _sliding(n: Numbers) -> list[str]:
    padded, room = n.input + 2 * n.pad, n.input + 2 * n.pad - n.window
    lines = [
        f"  padded input   i + 2p = {n.input} + 2·{n.pad} = {padded}",
        f"  window         d(k − 1) + 1 = {n.dilation}·({n.kernel} − 1) + 1 = {n.window}",
        f"  room to slide  {padded} − {n.window} = {room}",
        f"  steps          ⌊{room} / {n.stride}⌋ = {room // n.stride}",
        f"  output         {room // n.stride} steps and the place it starts from: "
        f"{room // n.stride} + 1 = {slid(n)}",
    ]
    if left := room % n.stride:
        sizes = f"{n.input - left} to {n.input - left + n.stride - 1}"
        end = "padding" if left <= n.pad else "padded input"
        lines.append(f"  left over      {room} mod {n.stride} = {left}")
        lines.append(f"                 no window reads the last {left} of the {end}: inputs of")
        lines.append(f"                 {sizes} all give {slid(n)}")
    return lines


def _stamping(n: Numbers) -> list[str]:
    apart, reach = n.stride * (n.input - 1), n.window - n.pad - 1
    stretched = apart + 1 + n.output_padding
    return [
        f"  stretched      s − 1 = {n.stride - 1} between neighbours, zeros: s(i − 1) + 1 = "
        f"{n.stride}·({n.input} − 1) + 1 = {apart + 1}",
        f"  at the end     a = {n.output_padding} more, zeros too: {stretched}",
        f"  padding        p' = k − p − 1 = {n.window} − {n.pad} − 1 = {reach} on each side: "
        f"{stretched + 2 * reach}",
        f"  output         a window of {n.window} slides over it by 1: "
        f"{stretched + 2 * reach} − {n.window} + 1 = {stamped(n)}",
        f"  the other way  the convolution it transposes takes {stamped(n)} to "
        f"{slid(replace(n, input=stamped(n)))}",
    ]


def _formulas(kind: str, n: Numbers) -> list[str]:
    numbers = asdict(n)
    lines = ["relationships of Dumoulin & Visin that hold"]
    found = relationships(kind, **{name: numbers[name] for name in DEFAULTS[kind]})
    for r in found:
        lines.append(f"  {r.number:>2}  {r.title}")
        lines.append(f"      o = {r.formula} = {_inserted(r.formula, n)} = {r.size(n)}")
    if not found:
        lines.append(
            "      none: theirs has no padding for pools. Relationship 6 counts it: "
            f"o = ⌊({n.input} + 2·{n.pad} − {n.kernel}) / {n.stride}⌋ + 1 = {slid(n)}"
        )
    return lines


def _inserted(formula: str, n: Numbers) -> str:
    """The formula with numbers for its letters."""
    letters = {"i": n.input, "k": n.kernel, "s": n.stride, "p": n.pad, "d": n.dilation}
    letters["a"] = n.output_padding
    out = ""
    for place, character in enumerate(formula):
        product = place > 0 and (formula[place - 1].isdigit() or formula[place - 1] in ")s")
        if character in letters:
            out += ("·" if product and formula[place - 1] != " " else "") + str(letters[character])
        elif character == "(" and product:
            out += "·("
        else:
            out += character
    return out
