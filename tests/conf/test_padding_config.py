"""Names of paddings: for folders, tables and pictures."""

import re

import pytest

from conf.padding_config import amount_label, label_of, mode_label
from models.padding import NAMED, Padding

LABELS = {
    "same": Padding(),
    "reflect": Padding("same", "reflect"),
    "full-reflect": Padding("full", "reflect"),
    "1": Padding(1),
    "2-replicate": Padding((2, (2, 2)), "replicate"),
    "1_2": Padding((1, 2)),
    "1+2": Padding(((1, 2), (1, 2))),
    "1+2_0+1": Padding(((1, 2), (0, 1))),
    "causal_rows": Padding(("causal", "same")),
    "causal_same-replicate": Padding(("causal", "same"), "replicate"),
    "causal_columns": Padding(("same", "causal")),
    "latitude_longitude": Padding("same", ("replicate", "circular")),
    "full-replicate_circular": Padding("full", ("replicate", "circular")),
    "circular_replicate": Padding("same", ("circular", "replicate")),
    "input": Padding("input"),
    "input-reflect": Padding("input", "reflect"),
    "even_split-random": Padding("even_split", "random"),
    "constant0": Padding("same", "constant"),
    "constant0.5": Padding("same", "constant", 0.5),
    "constant0.1234567": Padding("same", "constant", 0.1234567),
    "constant-1_zeros": Padding("same", ("constant", "zeros"), -1),
}


@pytest.mark.parametrize(("label", "padding"), LABELS.items(), ids=list(LABELS))
def test_a_label_says_what_differs(label, padding):
    assert label_of(padding) == label


def test_distinct_paddings_have_distinct_labels_that_are_safe_in_a_path():
    paddings = set(NAMED.values()) | set(LABELS.values())
    labels = {label_of(padding) for padding in paddings}
    assert len(labels) == len(paddings)
    assert all(re.fullmatch(r"[a-z0-9_+.-]+", label) for label in labels)


def test_axes_that_say_the_same_are_said_once():
    assert label_of(Padding(("same", "same"), ("reflect", "reflect"))) == "reflect"
    assert amount_label(((1, 1), 1)) == "1"
    assert mode_label(("constant", "constant"), 2.0) == "constant2"
