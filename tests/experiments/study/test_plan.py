import json
import re

import pytest

from experiments.run.record.files import DamagedError
from experiments.study.plan import Plan
from tests import made

ALIAS_OF_NOTHING = {"alias_of": "no such cell"}
NO_SEEDS = {"seeds": ["zero"]}


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"declared": {}}', bytes(range(128, 256)), b'{"cells": {"a": {}}}', b"3"],
)
def test_a_damaged_plan_is_named(tmp_path, content):
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(DamagedError, match=re.escape(f"{tmp_path}/study.json cannot be read: ")):
        Plan.read(tmp_path)


@pytest.mark.parametrize("change", [ALIAS_OF_NOTHING, NO_SEEDS])
def test_a_plan_that_contradicts_itself_is_damaged(tmp_path, change):
    study = made.study(tmp_path / "study", ("same",), (0,))
    made.plan(study, seeds=(0,))
    path = study / "study.json"
    content = json.loads(path.read_text())
    next(iter(content["cells"].values())).update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(DamagedError, match=r"study\.json cannot be read"):
        Plan.read(study)
