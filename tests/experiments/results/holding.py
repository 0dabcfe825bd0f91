"""Whether the committed tables of a section of the results' page hold what it claims."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import cache

from tests.experiments.results.claims import WHOLE, Claim
from tests.experiments.results.committed import RESULTS, Study, Told, named, says, study
from tests.experiments.results.measured import MEASURED

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
    return study(RESULTS / section.lower().replace(" ", "_"))


@cache
def every(kind: str) -> set[str]:
    """The names of this kind in all studies."""
    found = (study(path.parent).vocabulary(kind) for path in RESULTS.glob("*/runs.csv"))
    return set().union(*found)


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
    sentence = claim.before + re.split(r"[.!?] (?=[A-Z`])", claim.after)[0]
    if not row.of({kind: named(sentence, every(kind)) for kind in ("model", "data")}):
        return False
    if row.described:  # with an interval of its own, which decides nothing
        return claim.kind == "level"
    if claim.kind not in ("effect", "interval"):
        return True
    told = named(" ".join(BACKTICKED.findall(sentence)), paddings, longest=False) - {row.baseline}
    return not told or bool(told & row.names["padding"])


def is_effect(claim: Claim, row: Told) -> bool:
    *point, low, high = claim.figures
    turned = bool(row.baseline) and f"`{row.baseline}` − " in claim.before  # all signs are
    sign = -1 if turned else 1
    if point and not says(point[0], sign * row.mean, row.slack, turned=not claim.label):
        return False
    new = "over new" in claim.head  # a column of a table
    for ends in row.intervals[1:] if new else row.intervals[: 1 if point else 2]:
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
