import json

import pytest

from experiments.report import a_a
from tests import made


def test_the_cell_with_the_most_seeds_is_split(tmp_path, capsys):
    study = made.study(tmp_path / "a_a", ("same",), range(12))
    made.study(study, ("valid",), range(2))
    assert a_a.main([str(study), "--splits", "20"]) == 0
    content = json.loads((study / "a_a.json").read_text())
    assert content["seeds"] == len(content["values"]) == 12
    assert [found["n"] for found in content["found"]] == [5]
    assert "n=5, 1 comparisons per family, 20 splits" in capsys.readouterr().out


def test_too_few_seeds_are_refused_in_one_line(tmp_path, capsys):
    study = made.study(tmp_path / "a_a", ("same",), range(9))
    with pytest.raises(SystemExit) as ended:
        a_a.main([str(study)])
    assert ended.value.code == 2
    assert "no cell with 10 complete seeds" in capsys.readouterr().err
