"""Sentences that a referee has overturned stay away from the results' pages."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "experiments/results/README.md"])
def test_withdrawn_sentences_stand_nowhere(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    withdrawn = ("shrugs off", "never behind", "favours none", "the last digits differ")
    for sentence in (*withdrawn, "less than chance", "too few seeds to test", "imultaneous"):
        assert sentence not in text
