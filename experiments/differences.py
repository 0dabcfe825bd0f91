"""A study's cells against its baseline: which can be compared, and what came of it.

The family is all comparisons with the baseline within one network and data set, on test accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from experiments.statistics.verdict import Comparison, compare

# seed -> test accuracy in points
BySeed = Mapping[int, float]
COLUMNS = (
    "comparison",
    "n",
    "points [95 %]",
    "simultaneous [95 %]",
    "p, family",
    "p, equivalence",
    "verdict",
    "correlation",
    "pairing gained",
)


@dataclass(frozen=True)
class Family:
    """The comparisons of one network on one data set, and what had to be left out of them."""

    model: str
    data: str
    comparisons: list[Comparison] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def families(
    study: Mapping[tuple[str, str], Mapping[str, BySeed]], baseline: str, margin: float
) -> list[Family]:
    """Compare every cell that has all of the baseline's seeds with the baseline.

    Args:
        study: (model, data) -> cell -> seed -> test accuracy in points.
        baseline: name of a cell.
        margin: of equivalence, in points.
    """
    found = []
    for (model, data), cells in sorted(study.items()):
        family = Family(model, data)
        base = cells.get(baseline, {})
        if len(base) < 2:
            reason = f"{baseline} has {len(base)} of the 2 seeds that a comparison needs"
            family.left_out.update({name: reason for name in cells if name != baseline})
        else:
            seeds = sorted(base)
            whole = {name: runs for name, runs in cells.items() if set(seeds) <= set(runs)}
            for name in sorted(set(cells) - set(whole)):
                missing = sorted(set(seeds) - set(cells[name]))
                family.left_out[name] = f"lacks seeds {', '.join(map(str, missing))}"
            values = {name: [runs[seed] for seed in seeds] for name, runs in whole.items()}
            family.comparisons.extend(compare(values, baseline, margin))
        if family.comparisons or family.left_out:
            found.append(family)
    return found


def markdown(families: list[Family], baseline: str, margin: float) -> list[str]:
    """The section of a report; no lines where there is nothing to compare."""
    if not families:
        return []
    lines = [
        f"## Against {baseline}",
        "",
        "Test accuracy in points, paired by seed. Its own interval is Student's t; the "
        "simultaneous ones cover all comparisons of a table together. p, family: exact max-T test "
        f"by flipping the signs of whole seeds. Equivalence: two one-sided tests at ±{margin:g}.",
        "",
    ]
    for family in families:
        lines += [f"### {family.model} on {family.data}", ""]
        if family.comparisons:
            lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
            lines += [f"| {' | '.join(_cells(c))} |" for c in family.comparisons]
            lines.append("")
        lines += [f"- {name}: not compared, {why}" for name, why in family.left_out.items()]
        lines += [""] * bool(family.left_out)
    return lines


def rows(families: list[Family]) -> list[dict[str, Any]]:
    """The same as lines of a CSV file."""
    return [
        {
            "model": family.model,
            "data": family.data,
            "cell": c.name,
            "baseline": c.baseline,
            "n": c.n,
            "mean": c.mean,
            "low": c.low,
            "high": c.high,
            "family_low": c.family_low,
            "family_high": c.family_high,
            "p": c.p if c.can_reject else None,
            "equivalence_p": c.equivalence_p,
            "margin": c.margin,
            "verdict": c.verdict,
            "correlation": c.pairing.correlation,
            "pairing_gain": c.pairing.gain,
        }
        for family in families
        for c in family.comparisons
    ]


def _cells(c: Comparison) -> list[str]:
    head = [f"{c.name} − {c.baseline}", str(c.n)]
    if c.p is None:
        return [*head, *["–"] * 4, c.verdict, "–", "–"]
    correlation, gain = c.pairing.correlation, c.pairing.gain
    return [
        *head,
        f"{c.mean:+.2f} [{c.low:+.2f}, {c.high:+.2f}]",
        f"[{c.family_low:+.2f}, {c.family_high:+.2f}]",
        f"{c.p:.2g}" if c.can_reject else "too few seeds",
        f"{c.equivalence_p:.2g}",
        c.verdict,
        "–" if correlation is None else f"{correlation:.2f}",
        "–" if gain is None else f"× {gain:.1f}",
    ]
