import json
import os
import re

import numpy as np
import pytest

from experiments.run.record import files


def test_a_file_is_the_old_one_until_it_is_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    files.write_json(path, {"n": 1})

    def killed(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            files.write_json(path, {"n": 2})
    assert files.read_json(path) == {"n": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]


def test_what_json_cannot_say_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "results.json", {"accuracy": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_reads_as_none(tmp_path):
    assert files.read_json(tmp_path / "nothing.json") is None


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"\x93NUMPY"])
def test_damaged_arrays_are_named(tmp_path, content):
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(files.DamagedError, match=re.escape(f"{path} cannot be read: it is ")):
        files.read_npz(path)


def test_arrays_that_would_have_to_be_unpickled_are_not_read(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(files.DamagedError, match="allow_pickle"):
        files.read_npz(tmp_path / "a.npz")


def test_arrays_are_never_pickled(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        files.write_npz(tmp_path / "a.npz", {"x": np.array([{}], dtype=object)})
    files.write_npz(tmp_path / "b.npz", {"x": np.arange(3)}, compressed=True)
    with np.load(tmp_path / "b.npz", allow_pickle=False) as file:
        assert file["x"].tolist() == [0, 1, 2]


def test_rows_make_a_table(tmp_path):
    files.write_csv(
        tmp_path / "metrics.csv", [{"epoch": 1, "loss": 0.1}, {"epoch": 2, "loss": 1e-9}]
    )
    assert (tmp_path / "metrics.csv").read_text() == "epoch,loss\n1,0.1\n2,1e-09\n"


def test_json_is_readable(tmp_path):
    files.write_json(tmp_path / "a.json", {"text": "×"})
    assert json.loads((tmp_path / "a.json").read_text()) == {"text": "×"}
    assert "×" in (tmp_path / "a.json").read_text()


@pytest.mark.parametrize("kind", ["a link to itself", "a folder"])
def test_what_the_system_does_not_read_is_damaged_too(tmp_path, kind):
    path = tmp_path / "results.json"
    if kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to(path.name)
    with pytest.raises(files.DamagedError, match=r"results\.json cannot be read: "):
        files.read_json(path)
