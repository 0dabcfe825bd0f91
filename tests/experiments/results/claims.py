"""Reads what a page of results claims: figures, and which of them belong together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tests.experiments.results.committed import FIGURE, INTERVAL, NUMBER, split

UNIT = r"(?: %| dB| points)?"
LED = re.compile(rf"({NUMBER})(?:[^\d\[\](),;.:|`]|`[^`]*`){{0,40}}$")  # the mean of an interval
LEVEL = re.compile(rf"({NUMBER}){UNIT} \((?:sd )?({NUMBER})(?:\)(?:, (\d+)(?![\d.,]))?|,)")
RANGE = re.compile(
    rf"({NUMBER}){UNIT} to ({NUMBER})|(?<=between )({NUMBER}){UNIT} and ({NUMBER})"
    r"|\b(\d+) to (\d+)(?= %)|(?<=between )(\d+) and (\d+)(?= %)"
)
SINGLE = re.compile(rf"{NUMBER}(?![\w.]*\d)")
WHOLE = {
    "seeds": re.compile(r"\bn = (\d+)|\b(\d+) seeds\b"),
    "epochs": re.compile(r"\b(\d+)(?: of the (\d+))? epochs\b"),
    "examples": re.compile(
        r"(?<![\d,])(\d{1,3}(?:,\d{3})+)(?![\d,])"
        r"|\b(\d+) (?:test )?(?:images|windows|weeks|fields|crops|examples|sequences)\b"
    ),
}
CODE = re.compile(r"```.*?```|`[^`]*`|(?<=\])\([^)]*\)", re.DOTALL)
NAME = re.compile(r"`[\w-]+`")


@dataclass(frozen=True)
class Claim:
    """Figures that belong together.

    Attributes:
        kind: "effect", "interval", "level", "range", "single", or a kind of `WHOLE`.
        figures: as they are written; of an effect the mean, low, high.
        label, head: of a table: the texts of the line, and the title of the column.
        before, after: of a text: the sentence until the figure, and what follows.
    """

    kind: str
    figures: tuple[str, ...]
    label: str = ""
    head: str = ""
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        place = (
            f"{self.label} | {self.head}" if self.head else f"{self.before[-40:]}…{self.after[:20]}"
        )
        return f"{self.kind} {' '.join(self.figures)} ({place})"


def claims(text: str) -> Iterator[Claim]:
    """Everything that a part of a page claims with figures."""
    text = CODE.sub(lambda code: code[0] if NAME.fullmatch(code[0]) else " ", text)
    for block in re.split(r"\n(?=\|)(?<!\|\n)|(?<=\|)\n(?!\|)", text):
        if not block.lstrip().startswith("|"):
            for paragraph in block.split("\n\n"):
                yield from _of_text(" ".join(paragraph.split()))
            continue
        head, *lines = block.strip().splitlines()
        yield from _of_text(head)
        for line in map(split, lines[1:]):
            label = " | ".join([line[0], *(c for c in line[1:] if not FIGURE.search(c))])
            yield from _of_text(line[0])
            for title, cell in zip(split(head)[1:], line[1:], strict=False):
                if title == "n":
                    cell = f"n = {cell}"
                elif title.endswith(" n"):
                    cell = re.sub(r"(?<!\)), (\d+)$", r", n = \1", cell)
                for claim in _of_text(cell):
                    yield replace(claim, label=label, head=title)


def _of_text(text: str) -> Iterator[Claim]:
    taken = [False] * len(text)

    def claim(kind: str, figures: Iterable[str | None], start: int, end: int) -> Claim:
        taken[start:end] = [True] * (end - start)
        before = re.split(r"(?<=[a-z)`\]%])[.!?] (?=[A-Z`*])", text[:start])[-1]
        return Claim(kind, tuple(filter(None, figures)), "", "", before, text[end:])

    for found in INTERVAL.finditer(text):
        led = LED.search(text[: found.start()])
        start = led.start() if led else found.start()
        kind = "effect" if led else "interval"
        yield claim(kind, (led and led[1], *found.groups()), start, found.end())
    for kind, pattern in (("level", LEVEL), ("range", RANGE), ("single", SINGLE)):
        for found in pattern.finditer(text):
            if not any(taken[found.start() : found.end()]):
                yield claim(kind, found.groups() or [found[0]], found.start(), found.end())
    for kind, pattern in WHOLE.items():
        for found in pattern.finditer(text):
            if not any(taken[found.start() : found.end()]):
                yield claim(kind, found.groups(), found.start(), found.end())


def figures(text: str) -> dict[tuple[int, int], str]:
    """Start and end of every figure in a part of a page -> "effect", "other" or a kind of `WHOLE`.

    The figures of an effect are its mean and its interval, or an interval that stands alone.
    """
    text = CODE.sub(lambda c: c[0] if NAME.fullmatch(c[0]) else " " * len(c[0]), text)
    found = {figure.span(): "other" for figure in FIGURE.finditer(text)}
    for kind, pattern in WHOLE.items():
        for whole in pattern.finditer(text):
            found |= {whole.span(i): kind for i in range(1, pattern.groups + 1) if whole[i]}
    for interval in INTERVAL.finditer(text):
        led = LED.search(text[: interval.start()])
        for start, end in (*([led.span(1)] if led else ()), interval.span(1), interval.span(2)):
            found[start + (text[start] in "+−"), end] = "effect"
    return dict(sorted(found.items()))


def changed(text: str) -> Iterator[tuple[str, str, str]]:
    """A text with one figure changed, by one up or down in its last digit: the figure's kind, its
    place, and the paragraph that has it.
    """
    for block in text.split("\n\n"):
        for (start, end), kind in figures(block).items():
            digit = int(block[end - 1])
            for other in {min(digit + 1, 9), max(digit - 1, 0)} - {digit}:
                place = f"{block[max(0, start - 20) : end]!r} with {other}"
                yield kind, place, f"{block[: end - 1]}{other}{block[end:]}"
