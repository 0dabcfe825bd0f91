"""The geometry of a network as a table in the terminal, and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from experiments import terminal
from models.geometry.findings.lint import Finding
from models.geometry.reach.usage import Usage, lost_share
from models.geometry.tracing.rows import Row

COLUMNS = (
    "layer", "type", "output", "kernel", "stride", "dil", "pad", "field", "jump", "off", "centre",
    "% pad", "params", "MACs",
)  # fmt: skip
SHORT = {"Pooling": "Pool", "Average": "Avg", "Convolution": "Conv", "Padding": "Pad"}
NAME, WIDTH, INDENT = 24, 112, 15
LEGEND = (
    "output and receptive field in pixels; jump: input pixels between neighbouring outputs; off: "
    "input pixels by which the first field extends beyond the start; centre: of the first output, "
    "in input pixels; % pad: percentage of the pixels read by the layer that are padding"
)
WHOLE = "; all: the layer reads its whole map, and so do the layers after it, beyond their fields"


def input_size(rows: Sequence[Row]) -> tuple[int | None, ...]:
    """The sizes of the network's input."""
    return next((row.output_size for row in rows if row.output_size), ())


def lost(rows: Sequence[Row]) -> float | None:
    """The fraction of the image that is lost; None if a size is unknown."""
    sizes = input_size(rows)
    known = [n for n in sizes if n is not None]
    return lost_share(rows, known) if sizes and len(known) == len(sizes) else None


def as_json(
    name: str, rows: Sequence[Row], used: Sequence[Usage], findings: Sequence[Finding]
) -> dict[str, Any]:
    """Everything as plain values: the layers by the names of the trace."""
    return {
        "name": name,
        "input_size": input_size(rows),
        "lost_share": lost(rows),
        "parameters": sum(row.parameters for row in rows),
        "macs": _sum([row.macs for row in rows]),
        "layers": [_layer(row, one) for row, one in zip(rows, used, strict=True)],
        "findings": [finding.to_dict() for finding in findings],
    }


def show(
    name: str,
    rows: Sequence[Row],
    used: Sequence[Usage],
    findings: Sequence[Finding],
    *,
    everything: bool,
) -> None:
    """Print the table, its totals, the fraction that is lost, and the findings."""
    stand = {row.name for row in rows if everything or _stands(row) or _resizes(row, rows)}
    kept = [(r, u) for r, u in zip(rows, used, strict=True) if r.name in stand]
    table = _table(kept)
    # A narrower terminal wraps lines but does not cut numbers.
    wide = Console(width=10 * WIDTH)
    console = Console(highlight=False, width=max(WIDTH, wide.measure(table).maximum))
    console.print(f"[bold]{escape(name)}[/]")
    console.print(table, crop=False)
    hidden = Counter(row.type for row in rows if row.name not in stand)
    if hidden:
        kinds = ", ".join(f"{n} {kind}" for kind, n in hidden.most_common(4))
        more = ", …" if len(hidden) > 4 else ""
        terminal.say(f"without a window, not shown (--all): {kinds}{more}")
    for line in textwrap.wrap(LEGEND + WHOLE * any(any(row.whole) for row in rows), WIDTH):
        console.print(f"[dim]{line}[/]")
    terminal.say("")
    for label, text in _totals(rows).items():
        terminal.say(f"{label:<14} {text}")
    _show_findings(console, findings)


def _show_findings(console: Console, findings: Sequence[Finding]) -> None:
    if not findings:
        terminal.say(f"{'findings':<14} none")
    for finding in findings:
        style = "bold yellow" if finding.severity == "warning" else "bold"
        first, *rest = textwrap.wrap(f"{finding.code}: {finding.message}", WIDTH - INDENT)
        rest += textwrap.wrap(f"→ {finding.remedy}", WIDTH - INDENT)
        console.print(f"[{style}]{finding.severity:<{INDENT}}[/]{escape(first)}")
        for line in rest:
            console.print(" " * INDENT + escape(line))


def _layer(row: Row, one: Usage) -> dict[str, Any]:
    return {
        **row.to_dict(),
        "centre": row.centre,
        "padding_share": one.padding_share,
        "unread": one.unread,
        "unread_pad": one.unread_pad,
        "skipped": one.skipped,
    }


def _stands(row: Row) -> bool:
    """Whether a layer has a row of its own: a window, padding, or weights that multiply."""
    moves = any(any(pad) for pad in row.pad if pad) or None in row.pad
    slides = any(n > 1 for n in (*row.kernel_size, *row.strides))
    return bool(row.macs) or moves or slides or any(row.whole) or row.type == "InputLayer"


def _resizes(row: Row, rows: Sequence[Row]) -> bool:
    """Whether a layer without a window changes the jump, as upsampling does."""
    jumps = {one.effective_stride for one in rows if one.name in row.inputs and one.output_size}
    return bool(row.output_size) and bool(jumps) and row.effective_stride not in jumps


def _totals(rows: Sequence[Row]) -> dict[str, str]:
    maps = [row for row in rows if row.output_size]
    found = {}
    if maps:
        last, share = maps[-1], lost(rows)
        found["map"] = (
            f"{_sizes(input_size(rows))} → {_sizes(last.output_size)}, field "
            f"{_sizes(last.receptive_field)}, jump {_sizes(last.effective_stride)}"
        )
        if any(row.gated for row in maps):
            found["map"] += "; gates see the whole image"
        if any(any(row.whole) for row in maps):
            found["map"] += "; normalisation over space sees the whole map"
        if share is not None:
            found["lost"] = f"{100 * share:.1f} % of the image has no output in the last map"
    macs = _sum([row.macs for row in rows])
    found["network"] = f"{sum(row.parameters for row in rows):,} parameters"
    if macs is not None:
        found["network"] += f", {macs / 1e6:,.2f} M MACs"
    return found


def _table(kept: Sequence[tuple[Row, Usage]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for i, column in enumerate(COLUMNS):
        table.add_column(column, no_wrap=True, justify="left" if i < 2 else "right")
    for row, one in kept:
        table.add_row(*(escape(cell) for cell in _cells(row, one)))
    return table


def _cells(row: Row, one: Usage) -> list[str]:
    slides = any(n > 1 for n in (*row.kernel_size, *row.strides))
    moves = any(any(pad) for pad in row.pad if pad) or None in row.pad
    share = one.padding_share
    return [
        _shortened(row.name),
        _short_type(row.type),
        "×".join(map(_number, row.output_size)) or "–",
        _sizes(row.kernel_size) if slides else "",
        _sizes(row.strides) if slides else "",
        _sizes(row.dilation_rate) if any(n > 1 for n in row.dilation_rate) else "",
        _pads(row.pad) if slides or moves else "",
        _fields(row),
        _sizes(row.effective_stride),
        _sizes(row.effective_padding),
        _sizes(row.centre),
        f"{100 * share:.1f}" if share else "",
        _count(row.parameters),
        _count(row.macs),
    ]


def _shortened(name: str) -> str:
    """A long name without its middle, because the ends distinguish layers."""
    keep = (NAME - 1) // 2
    return name if len(name) <= NAME else f"{name[:keep]}…{name[-(NAME - 1 - keep) :]}"


def _short_type(kind: str) -> str:
    for long, short in SHORT.items():
        kind = kind.replace(long, short)
    return kind if len(kind) <= 15 else f"{kind[:14]}…"


def _sizes(values: Sequence[float | Fraction | None]) -> str:
    """One number if all axes have the same."""
    shown = [_number(value) for value in values]
    return shown[0] if len(set(shown)) == 1 else "×".join(shown)


def _fields(row: Row) -> str:
    if not any(row.whole):
        return _sizes(row.receptive_field)
    axes = zip(row.whole, row.receptive_field, strict=True)
    shown = ["all" if whole else _number(field) for whole, field in axes]
    return shown[0] if len(set(shown)) == 1 else "×".join(shown)


def _pads(pads: Sequence[tuple[int, int] | None]) -> str:
    shown = []
    for pad in pads:
        if pad is None:
            shown.append("?")
        else:
            shown.append(str(pad[0]) if pad[0] == pad[1] else f"{pad[0]},{pad[1]}")
    return shown[0] if len(set(shown)) == 1 else " ".join(shown)


def _number(value: float | Fraction | None) -> str:
    if isinstance(value, Fraction):
        return str(value)
    return "?" if value is None else f"{value:g}"


def _count(n: int | None) -> str:
    """1234567 -> 1.23M; nothing for 0."""
    if n is None:
        return "?"
    if n == 0:
        return ""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if n >= size:
            return f"{n / size:.3g}{unit}" if n < 1000 * size else f"{n / size:.0f}{unit}"
    return str(n)


def _sum(counts: Sequence[int | None]) -> int | None:
    return None if None in counts else sum(n for n in counts if n is not None)
