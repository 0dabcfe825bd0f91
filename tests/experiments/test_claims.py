"""Every figure on the results' pages is recomputed from the committed tables of its section.

Figures that belong together are compared together, with their signs and to the decimals that are
written: an effect and its interval are of one comparison, a mean and its sd of one cell. In a table
they are of the padding, network and data set that the line and the column name; in a text, of a
padding that the sentence names, if it names any. A figure that stands alone is a mean, a ratio, a
setting. Whole numbers of seeds, epochs and images are those of the runs. What comes from elsewhere
is listed in ELSEWHERE with its source; that a changed figure is found is tested at the end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.experiments.results.claims import WHOLE, Claim, changed, claims, figures
from tests.experiments.results.committed import (
    RESULTS,
    ROOT,
    Study,
    Told,
    named,
    says,
    split,
    study,
)
from tests.experiments.results.measured import MEASURED

# Section -> source -> what is not a result of its folder.
ELSEWHERE = {
    "padding_x_model": {"an earlier version, whose runs are not kept": ("5.4", "8.2", "7")},
    "red_green": {
        "Kayhan & van Gemert 2020, table of the red-green experiment": (
            *("100.0 (0.0)", "99.8 (0.1)", "73.7 (1.0)", "89.7 (0.5)"),
            *("0.2 (0.1)", "8.4 (0.7)", "89.7", "73.7"),
        ),
    },
    "torus": {"the velocity of data/builders/advection.py": ("2.3", "2.7")},
    "causal_leak": {"naive predictions, counted on the test labels": ("35.1", "31.5", "29.8")},
    "Modes": {"3.02 less the 3 points named beside it": ("0.02",)},
    "Trust": {
        "95 less the 94.1 named beside it": ("0.9",),
        "the largest of verdicts/verdicts.csv with skewed noise of the cells": ("5.5",),
    },
    "Speed": {
        "the version of PyTorch, the goal, a width": ("2.13", "1.0", "0.25"),
        "exploratory, one core, not kept": ("1.28",),
    },
}
# Section -> the part of all changes that is found if it is less than MOST, and why it is.
MOST = 0.9
FEWER = {
    "Trust": (0.85, "four of the rates of splits lie a tenth of a point beside another"),
    "Architectures": (0.7, "three figures, and 5 epochs of one network are 6 of another"),
}
FRONT = "the front page's table"
DISTANCE = re.compile(r"(?:^|[^\d])(\d+)(?: pixels from the border)?$")
BEFORE = re.compile(r"(?:`([\w-]+)` − )?`([\w-]+)`(?::|(?: [a-z]+){0,3}) $")
UNDER = re.compile(r"(?: %| dB)? (?:under|with) (?:`([\w-]+)`)()")
SETTING = re.compile(r"(?:rate|margin|level|default)\b[^\d;]*$")
BACKTICKED = re.compile(r"`([\w-]+)`")


@cache
def held(section: str) -> Study:
    """What the tables of a section hold."""
    if section in MEASURED:
        return MEASURED[section]()
    if section == "Accuracies so far":
        every = [study(path.parent) for path in sorted(RESULTS.glob("*/runs.csv"))]
        kinds = ("seeds", "epochs", "examples")
        whole = {kind: set().union(*(one.whole[kind] for one in every)) for kind in kinds}
        return Study(cells=[cell for one in every for cell in one.cells], whole=whole)
    folder = "defaults" if section == "Results" else section.lower().replace(" ", "_")
    return study(RESULTS / folder)


@cache
def context(section: str, claim: Claim) -> dict[str, set[str]]:
    """Of which rows a figure of a table may be, by the names in its line and its column."""
    known = held(section)
    paddings = known.vocabulary("padding")
    both = f"{claim.label} {claim.head}"
    return {
        "padding": named(claim.label, paddings) or named(claim.head.partition("−")[0], paddings),
        "model": named(both, known.vocabulary("model")),
        "data": named(both, known.vocabulary("data")),
        "subset": named(claim.head, known.vocabulary("subset")),
        "part": named(claim.head, known.vocabulary("part")) or {""},
    }


def may_be(row: Told, section: str, claim: Claim) -> bool:
    """Whether a figure may be of a row, by the names that stand beside the figure."""
    paddings = held(section).vocabulary("padding")
    if found := UNDER.match(claim.after) or BEFORE.search(claim.before):
        name = found[1] or found[2]
        if name in paddings and name != row.baseline and name not in row.names["padding"]:
            return False
    if claim.label:
        wanted = context(section, claim)
        told = bool(wanted["subset"]) or "described" in claim.head
        return row.of(wanted) and (told or not row.described)
    if row.described:  # with an interval of its own, which decides nothing
        return claim.kind == "level"
    if claim.kind not in ("effect", "interval"):
        return True
    sentence = claim.before + re.split(r"[.!?] (?=[A-Z`])", claim.after)[0]
    told = named(" ".join(BACKTICKED.findall(sentence)), paddings, longest=False) - {row.baseline}
    return not told or bool(told & row.names["padding"])


def is_effect(claim: Claim, row: Told) -> bool:
    *point, low, high = claim.figures
    turned = bool(row.baseline) and f"`{row.baseline}` − " in claim.before  # all signs are
    sign = -1 if turned else 1
    if point and not says(point[0], sign * row.mean, row.slack, turned=not claim.label):
        return False
    for ends in row.intervals[: 1 if point else 2]:
        one, other = sorted(sign * end for end in ends)
        if says(low, one, row.slack) and says(high, other, row.slack):
            return True
    return False


def is_level(claim: Claim, row: Told) -> bool:
    told, sd, *n = claim.figures
    if row.sd is None or n not in ([], [str(len(row.seeds))]):
        return False
    return says(told, row.mean, row.slack) and says(sd, row.sd, row.slack)


def alone(claim: Claim, known: Study) -> Iterator[Told]:
    """What a figure may be that stands alone."""
    signed = claim.figures[0][0] in "+−"
    numbers = list(known.figures)
    cells = [row for row in known.cells if not row.described]
    if claim.label:
        if (distance := DISTANCE.search(claim.head)) and known.rings:
            yield from known.rings.get(("", int(distance[1])), [])
        elif "minute" in claim.head:
            yield from known.minutes
        else:
            yield from known.effects if signed or "−" in claim.head else known.cells
    elif SETTING.search(claim.before):
        numbers.extend(known.settings)
    elif claim.after.startswith(" times"):
        yield from known.ratios
        for group in ([row for row in cells if row.seeds], *known.rings.values()):
            pairs = itertools.permutations(group, 2)
            numbers.extend(a.mean / b.mean for a, b in pairs if b.mean)
    elif signed or re.match(" points| closer", claim.after):
        effects = [row for row in known.effects if not row.described]
        yield from effects
        for a, b in itertools.permutations(effects, 2):
            if (a.names["padding"], a.baseline) == (b.names["padding"], b.baseline):
                numbers.append(a.mean - b.mean)
        for a, b in itertools.permutations(cells, 2):
            if signed and len(a.seeds) == len(b.seeds) == 2:  # told one by one
                numbers.extend(x - y for x, y in zip(a.seeds, b.seeds, strict=True))
    else:
        numbers.extend(known.settings)
        yield from (*cells, *(row for ring in known.rings.values() for row in ring))
    yield from (Told({}, number) for number in numbers)


def ranges(known: Study) -> Iterator[tuple[float, float]]:
    """The smallest and the largest: of the seeds of a cell and of all cells."""
    yield from known.ranges
    cells = [row.seeds for row in known.cells if row.seeds]
    for seeds in (*cells, list(itertools.chain(*cells))):
        if seeds:
            yield min(seeds), max(seeds)


@cache
def holds(section: str, claim: Claim) -> bool:
    """Whether the tables of a section hold what is claimed."""
    known = held(section)
    if claim.kind in WHOLE:
        numbers = {int(figure.replace(",", "")) for figure in claim.figures}
        if claim.kind == "seeds" and claim.label:
            fitting = [row for row in known.cells if row.of(context(section, claim))]
            return numbers <= {len(row.seeds) for row in fitting}
        return claim.kind not in known.whole or numbers <= known.whole[claim.kind]
    if claim.kind in ("effect", "interval"):
        return any(is_effect(claim, row) and may_be(row, section, claim) for row in known.effects)
    if claim.kind == "level":
        return any(is_level(claim, row) and may_be(row, section, claim) for row in known.cells)
    if claim.kind == "range":
        return any(all(map(says, claim.figures, pair)) for pair in ranges(known))
    return any(
        says(claim.figures[0], row.mean, row.slack, turned=not claim.label)
        and (not row.names or may_be(row, section, claim))
        for row in alone(claim, known)
    )


def elsewhere(section: str, claim: Claim) -> bool:
    """Whether a source in ELSEWHERE, or the first table, whose runs are not kept, has it."""
    first, second = (*claim.figures, "")[:2]
    told = f"{first} ({second})" if claim.kind == "level" else first
    if section == "Accuracies so far":
        return re.search(rf"(?<![\d.]){re.escape(told)}(?!\d)", PAGE.get("Results", "")) is not None
    return any(told in texts for texts in ELSEWHERE.get(section, {}).values())


def expected(section: str, claim: Claim) -> str:
    """What the tables hold that is nearest to a claim, among the rows that it may be of."""
    known = held(section)
    if claim.kind in WHOLE:
        return f"one of {sorted(known.whole[claim.kind])}"
    first, *_ = (abs(float(figure.lstrip("+−"))) for figure in claim.figures)
    if claim.kind == "range":
        pairs = ((abs(low - first), f"{low:.5g} to {high:.5g}") for low, high in ranges(known))
        return min(pairs, default=(0, "no such range"))[1]
    found = {"effect": known.effects, "interval": known.effects, "level": known.cells}
    told = [
        (abs(abs(row.intervals[-1][0] if claim.kind == "interval" else row.mean) - first), str(row))
        for row in found.get(claim.kind) or alone(claim, known)
        if not row.names or may_be(row, section, claim)
    ]
    return min(told, default=(0, "no row has these names"))[1]


def wrong(section: str, text: str) -> list[Claim]:
    """The claims of a text that the tables of a section do not hold."""
    return [c for c in claims(text) if not holds(section, c) and not elsewhere(section, c)]


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"\n(?=##+ )", page)
    return {part.partition("\n")[0].lstrip("# "): part.partition("\n")[2] for part in parts}


PAGE = sections((RESULTS / "README.md").read_text())
FRONT_PAGE = (ROOT / "README.md").read_text()
STUDIES = re.findall(r"^\| \[.*?README\.md#?(\w*)\) \| (.*) \|$", FRONT_PAGE, re.MULTILINE)
PARTS = {
    **{name: [(name, text)] for name, text in PAGE.items() if name != "Results"},
    FRONT: [(section or "Why", text) for section, text in STUDIES],
    "Accuracies so far": [("Accuracies so far", sections(FRONT_PAGE)["Accuracies so far"])],
}
if "Results" in PAGE and "defaults" not in PAGE and (RESULTS / "defaults").is_dir():
    PARTS["Results"] = [("Results", PAGE["Results"])]


@pytest.mark.parametrize("part", PARTS)
def test_every_figure_follows_from_the_tables_of_its_section(part: str) -> None:
    assert len(PARTS[part]) >= (5 if part == FRONT else 1)
    for section, text in PARTS[part]:
        told = [
            f"{section}: {claim}; the tables have {expected(section, claim)}"
            for claim in wrong(section, text)
        ]
        assert not told, "\n".join(told)


@pytest.mark.parametrize("part", [name for name, of in PARTS.items() if figures(of[0][1])])
def test_a_changed_figure_would_be_found(part: str) -> None:
    missed: dict[str, list[str]] = {"effect": [], "other": []}
    number = 0
    for section, text in PARTS[part]:
        for kind, place, other in changed(text):
            number += 1
            if not wrong(section, other):
                missed["effect" if kind == "effect" else "other"].append(place)
    assert missed["effect"] == []
    least, _ = FEWER.get(part, (MOST, ""))
    assert len(missed["other"]) <= (1 - least) * number, missed["other"]


def test_a_turned_sign_would_be_found() -> None:
    """Of effects and of their intervals, wherever a sign is written."""
    for section, text in itertools.chain(*PARTS.values()):
        for block in text.split("\n\n"):
            for (start, _), kind in figures(block).items():
                if kind == "effect" and block[start - 1] in "+−":
                    sign = "−" if block[start - 1] == "+" else "+"
                    other = f"{block[: start - 1]}{sign}{block[start:]}"
                    assert wrong(section, other), other[max(0, start - 30) : start + 5]


@pytest.mark.parametrize("part", [n for n in PARTS if n in PAGE and held(n).vocabulary("padding")])
def test_two_lines_of_a_table_that_change_their_names_would_be_found(part: str) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE[part], re.MULTILINE):
        head, rule, *lines = table.splitlines()
        for one, other in itertools.pairwise(lines):
            (first, *rest), (second, *others) = split(one), split(other)
            if rest != others and first != second:
                turned = [[second, *rest], [first, *others]]
                text = "\n".join([head, rule, *(f"| {' | '.join(row)} |" for row in turned)])
                assert wrong(part, text), (part, first, second)
