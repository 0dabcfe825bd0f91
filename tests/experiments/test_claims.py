"""Every figure on the pages of the results, the probes and PosENet is recomputed from the committed
tables of its section.

Figures that belong together are compared together, with their signs and to the decimals that are
written: an effect and its interval are of one comparison, a mean and its sd of one cell. In a table
they are of the padding, network and data set that the line and the column name; in a text, of those
that the sentence names, if it names any. A figure that stands alone is a mean, a ratio, a
setting. Whole numbers of seeds, epochs and images are those of the runs. What comes from elsewhere
is listed in ELSEWHERE with its source; that a changed figure is found is tested at the end.
"""

from __future__ import annotations

import itertools
import re

import pytest

from tests.experiments.results.claims import WHOLE, Claim, changed, claims, figures
from tests.experiments.results.committed import RESULTS, ROOT, named, split
from tests.experiments.results.holding import alone, every, held, holds, may_be, ranges

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
    "Why: the results of the probes in one network under each padding": {
        "the version of TensorFlow": ("2.21",),
        "probes of the images alone, not kept": ("0.07", "0.11"),
    },
    "The maps, padding by padding": {
        "responses in sd, height, and exchanged paddings of seed 0: probes.csv has no column": (
            *("0.38", "0.34", "0.33", "0.02", "0.21", "0.12", "0.06", "0.52"),
            *("0.57", "0.69", "0.30", "0.43", "0.71", "1.5", "3.0"),
        ),
    },
    "What the probes add to the studies": {
        "probes of seed 0 of the studies as they were, not kept": (
            *("68", "59", "0.55", "0.89", "0.35", "0.08", "0.06", "15.4", "3.3", "0.19", "0.03"),
            *("0.38", "0.17", "0.063", "0.22", "0.26", "0.31", "0.15"),
        ),
    },
    "Position from zeros alone: PosENet": {
        "a trial, not kept": ("0.26",),
        "above the largest difference that is meant": ("0.04",),
    },
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
    "The maps, padding by padding": (0.65, "a text of many figures, a third of them of no table"),
    "What the probes add to the studies": (0.85, "all but one are of no table"),
    "Position from zeros alone: PosENet": (0.85, "figures of two readers lie beside each other"),
    "Architectures": (0.7, "three figures, and 5 epochs of one network are 6 of another"),
}
FRONT = "the front page's table"


def elsewhere(section: str, claim: Claim) -> bool:
    """Whether a source in ELSEWHERE has it."""
    first, second = (*claim.figures, "")[:2]
    told = f"{first} ({second})" if claim.kind == "level" else first
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
for name in ("why", "posenet"):
    PAGE |= sections((RESULTS / name / "README.md").read_text())
FRONT_PAGE = (ROOT / "README.md").read_text()
STUDIES = re.findall(r"^\| \[.*?README\.md#?(\w*)\) \| (.*) \|$", FRONT_PAGE, re.MULTILINE)
PARTS = {
    **{name: [(name, text)] for name, text in PAGE.items() if name != "Results"},
    FRONT: [(section or "Why", text) for section, text in STUDIES],
    "Accuracies so far": [("Accuracies so far", sections(FRONT_PAGE)["Accuracies so far"])],
}


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


def test_another_network_or_data_set_in_a_sentence_would_be_found() -> None:
    """Of the sentences that name one of several, and tell an effect or a mean with its sd."""
    tried = 0
    for section, text in PAGE.items():
        prose = [block for block in text.split("\n\n") if not block.startswith(("|", "!"))]
        sentences = re.split(r"(?<=[a-z)`\]%])[.!?] (?=[A-Z`*])", " ".join(" ".join(prose).split()))
        for kind, sentence in itertools.product(("model", "data"), sentences):
            told = named(sentence, every(kind)) if section in PARTS else set()
            kinds = {claim.kind for claim in claims(sentence)}
            if len(told) == 1 and kinds & {"effect", "level"}:
                (name,) = told
                other = min(every(kind) - told)
                assert wrong(section, sentence.replace(name, other)), (section, sentence)
                tried += 1
    assert tried >= 10
