"""The command that prepares a set ahead of training and writes it as one file."""

import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data
from conf.commandline import ROOT
from data.sources import npz_export
from experiments.run import prepare_data
from tests.data.sources.test_streaming import SMALL, varied
from tests.helpers import full, only_run


@pytest.fixture
def call(tmp_path, monkeypatch, capsys, data_dir):
    """`call(…)` runs the command in an empty folder: (exit code, {name: text}, errors)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = prepare_data.main([f"data.data_dir={data_dir}", *arguments])
        captured = capsys.readouterr()
        said = {line[:13].strip(): line[14:] for line in captured.out.splitlines()}
        return code, said, captured.err

    return run


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def written(cfg, folder):
    """The set through a file: what training reads from it."""
    return data.load(npz_export.write(cfg, data.fingerprint(cfg), folder / "out.npz"))


def assert_trains_alike(one, two):
    for name in ("kind", "input_shape", "class_names", "mean", "std", "normalize"):
        assert getattr(one.spec, name) == getattr(two.spec, name)
    for name in ("train", "validation", "test"):
        a, b = getattr(one, name), getattr(two, name)
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a.x[:], b.x[:])
            for column in ("y", "margin", "source_ids", "subset"):
                np.testing.assert_array_equal(getattr(a, column), getattr(b, column))


@pytest.mark.full
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"examples": 200},
        {"examples": 200, "validation": 0.3, "split_seed": 4},
        {"validation": 0.0},
        {"validation": 0.0, "examples": 200},
        {"normalize": "unit", "memory": SMALL},
    ],
)
@pytest.mark.parametrize("name", [full("placed_digits"), "mnist1d"])
def test_training_from_the_file_is_training_from_the_set(prepared, tmp_path, name, changes):
    cfg = data.DataConfig(name, "built", data_dir=str(prepared), **changes)
    assert_trains_alike(data.load(cfg), written(cfg, tmp_path))


@pytest.mark.parametrize("changes", [{}, {"examples": 6}, {"memory": SMALL}])
def test_pictures_of_many_sizes_are_written_as_resized(tmp_path, changes):
    cfg = varied(tmp_path, resize=5, **changes)
    assert_trains_alike(data.load(cfg), written(cfg, tmp_path))
    with np.load(tmp_path / "out.npz") as file:
        assert (file["x_train"].shape[1:], file["x_train"].dtype) == ((5, 5, 3), np.float32)


@pytest.mark.full
def test_the_names_of_subsets_go_with_the_file(prepared, tmp_path):
    cfg = data.DataConfig("red_green", "built", data_dir=str(prepared))
    data.ensure(cfg)
    whole = data.load(cfg)
    assert len(set(whole.test.subset.tolist())) == 4
    assert_trains_alike(whole, written(cfg, tmp_path))


def test_labels_of_steps_name_the_head_that_takes_them(call):
    code, said, _ = call("data=co2", "npz=co2.npz")
    assert code == 0
    words = "model=causal_conv1d padding=causal model.head=steps data=npz data.path=co2.npz"
    assert said["train"].startswith(f"python train.py {words}")


@pytest.mark.parametrize("sizes", [[(6, 5)], [(6, 5), (4, 9)]])
@pytest.mark.parametrize("memory", ["auto", SMALL])
def test_a_folder_of_images_as_a_file(tmp_path, sizes, memory):
    for i in range(30):
        pixels = np.random.default_rng(i).integers(0, 256, (*sizes[i % len(sizes)], 3))
        folder = tmp_path / "own" / ("cat", "dog")[i % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
    found = {"path": str(tmp_path / "own"), "data_dir": str(tmp_path), "memory": memory}
    for changes in ({}, {"split_seed": 2}, {"test": 0.3, "sequence": True}):
        cfg = data.DataConfig("own", "image_folder", resize=7, **found, **changes)
        held = data.load(data.DataConfig(**vars(cfg) | {"memory": "auto"}))
        assert_trains_alike(held, data.load(cfg))
        assert_trains_alike(held, written(cfg, tmp_path))


@pytest.mark.full
@pytest.mark.parametrize("memory", ["auto", full(SMALL)])
def test_a_resize_that_training_can_do_is_left_to_it(prepared, tmp_path, memory):
    found = {"data_dir": str(prepared), "memory": memory}
    cfg = data.DataConfig("placed_digits", "built", resize=16, **found)
    assert_trains_alike(data.load(cfg), written(cfg, tmp_path))
    with np.load(tmp_path / "out.npz") as file:
        assert (file["x_train"].shape, file["x_train"].dtype) == ((9000, 32, 32, 1), np.uint8)


def test_a_file_of_plain_series_needs_no_word_of_its_kind(prepared, tmp_path):
    cfg = data.DataConfig("mnist1d", "built", data_dir=str(prepared))
    assert npz_export.write(cfg, data.fingerprint(cfg), tmp_path / "out.npz").kind is None
    bare = data.DataConfig("own", "npz", path=str(tmp_path / "out.npz"))
    assert data.load(bare).spec.kind == "sequence"


def test_a_file_of_sequences_with_channels_says_what_they_are(tmp_path):
    x, y = np.random.default_rng(0).random((30, 7, 3)), np.arange(30) % 3
    np.savez(tmp_path / "own.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    cfg = data.DataConfig("own", "npz", path=str(tmp_path / "own.npz"), kind="sequence")
    assert_trains_alike(data.load(cfg), written(cfg, tmp_path))
    with pytest.raises(data.DataError, match="is the file of the set itself"):
        npz_export.write(cfg, "", tmp_path / ".." / tmp_path.name / "own.npz")


@pytest.mark.full
def test_the_file_is_compressed_and_the_same_every_time(prepared, tmp_path):
    cfg = data.DataConfig("placed_digits", "built", data_dir=str(prepared))
    contents = set()
    for memory in ("auto", SMALL):
        written(data.DataConfig(**vars(cfg) | {"memory": memory}), tmp_path)
        contents.add((tmp_path / "out.npz").read_bytes())
    assert len(contents) == 1
    with zipfile.ZipFile(tmp_path / "out.npz") as file:
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_DEFLATED}


@pytest.mark.full
@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_no_other(call, tmp_path, monkeypatch, failure):
    def fails(file, *_):
        file.write(b"half")
        raise failure

    (tmp_path / "out.npz").write_text("old")
    monkeypatch.setattr(np.lib.format, "write_array_header_1_0", fails)
    code, _, said = call("data=placed_digits", "npz=out.npz")
    assert code == (2 if isinstance(failure, OSError) else 130)
    assert said.startswith("error: npz=out.npz cannot be written (No space" if code == 2 else "err")
    assert (tmp_path / "out.npz").read_text() == "old"
    assert files(tmp_path) == ["out.npz"]


@pytest.mark.full
def test_what_is_said_and_the_command_it_ends_in(call, program, tmp_path):
    augment = ("data.augment.flip=true", "data.split_seed=3")
    code, said, errors = call("data=placed_digits", "data.examples=120", *augment, "npz=a b.npz")
    assert (code, errors) == (0, "")
    assert said["data"] == "images of 32×32×1, uint8"
    assert said["splits"] == "train 9,000   validation 1,000   test 3,000"
    assert said["classes"] == "10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert said["fingerprint"] == "placed_digits/1.1.0+0e4c474cb7aa"
    assert said["holds"] == "train 120, validation 1,000, test 3,000, uint8"
    assert "placed_digits/1.1.0 (" in said["location"]
    size = (tmp_path / "a b.npz").stat().st_size
    assert said["written to"] == f"a b.npz ({size / 2**20:.1f} MiB)"
    python, script, *words = shlex.split(said["train"])
    assert (python, script) == ("python", "train.py")
    assert "data.augment.flip=true" in words
    assert program(*words, "trainer.epochs=1").code == 0
    results = json.loads((only_run() / "results.json").read_text())
    assert sum(part["n"] for part in results["accuracy_by_margin"].values()) == 3000
    recorded = json.loads((only_run() / "data.json").read_text())
    assert recorded["fingerprint"] == said["npz"]


def test_without_a_file_the_command_trains_from_the_set(call, data_dir):
    code, said, _ = call("data=mnist1d", "data.normalize=unit")
    assert code == 0
    where = f"data.data_dir={data_dir} data=mnist1d data.normalize=unit"
    assert said["train"] == f"python train.py model=causal_conv1d padding=causal {where}"
    assert files(Path()) == []


def test_a_set_that_will_stream_is_made_ready_to(call, data_dir):
    code, said, _ = call("data=mnist1d", "data.memory=0.0001")
    assert code == 0
    assert said["memory"].startswith("mnist1d streams from disk: 781 KiB as float32")
    assert list(Path(data_dir, "streamed").glob("mnist1d-*/train.x.npy"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["data=cifar"], "unknown data 'cifar': did you mean cifar10"),
        (["data=tfds"], "data.name must be set"),
        (["data=placed_digits", "data.reszie=3"], "unknown key 'data.reszie': did you mean"),
        (["data=placed_digits", "data.resize=x"], "data.resize must be a whole number; got 'x'"),
        (["data=placed_digits", "data.resize=0"], "data.resize=0 must be a whole number of"),
        (["data=placed_digits", "data.memory=lots"], "must be auto or a number of GiB"),
        (["data=placed_digits,mnist1d"], "only one set can be prepared at a time"),
        (["model=small_cnn"], "model=small_cnn has no effect here"),
        (["--cfg", "job"], "--cfg has no effect here"),
        (["npz=out"], "npz=out: only one file can be written, npz=<file>.npz"),
        (["npz=a.npz", "npz=b.npz"], "only one file can be written"),
        (["npz=nowhere/out.npz"], "nowhere is not a folder"),
        (["data=npz", "data.path=none.npz", "npz=out.npz"], "data.path=none.npz is not a file"),
        (["data=placed_digits", "data.examples=3", "npz=out.npz"], "must be between 10"),
        (["data=mnist1d", "data.resize=3", "npz=out.npz"], "data.resize is for images"),
        (["data=tfds", "data.name=kmnist"], "data.download=true"),
    ],
)
def test_one_line_for_what_cannot_be_meant(call, tmp_path, arguments, says):
    code, said, errors = call(*arguments)
    assert (code, said) == (2, {})
    assert errors.startswith("error: ")
    assert says in errors
    assert errors.count("\n") == 1
    assert files(tmp_path) == []


def test_help_is_fast_and_lists_the_sets():
    script = (
        "import sys, runpy; sys.argv = ['prepare', '--help']\n"
        "try: runpy.run_module('data.prepare', run_name='__main__')\n"
        "except SystemExit as end: print('exit', end.code)\n"
        "print('loaded:', sorted({'numpy', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=True)
    assert "placed_digits" in ended.stdout
    assert "npz=cifar10.npz" in ended.stdout
    assert ended.stdout.endswith("exit 0\nloaded: []\n")
    assert ended.stderr == ""
