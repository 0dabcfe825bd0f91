"""Sentences that a referee has overturned stay away from the results' pages."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = "experiments/results"
PAGES = ["README.md", f"{RESULTS}/README.md", f"{RESULTS}/why/README.md", "docs/studies.md"]


@pytest.mark.parametrize("page", PAGES)
def test_withdrawn_sentences_stand_nowhere(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    withdrawn = ("shrugs off", "never behind", "favours none", "the last digits differ")
    later = ("lost on digits that touch", "equivalent to zeros", "is one of that budget")
    for sentence in (
        *withdrawn,
        *later,
        "less than chance",
        "too few seeds to test",
        "imultaneous",
    ):
        assert sentence not in text
