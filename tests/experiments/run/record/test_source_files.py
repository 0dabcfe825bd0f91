"""Which files decide a run's numbers: what counts, and what does not."""

import shutil

import pytest

from experiments.run.record import source_files
from tests.helpers import thinned

CHOSEN = ("small_cnn", "built", "placed_digits", ("circular",))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A copy of the sources."""
    folder = tmp_path_factory.mktemp("checkout")
    for package in source_files.PACKAGES:
        ignored = shutil.ignore_patterns("results", "__pycache__")
        shutil.copytree(source_files.ROOT / package, folder / package, ignore=ignored)
    shutil.copy(source_files.ROOT / "train.py", folder)
    return folder


@pytest.fixture
def checkout(copied, monkeypatch):
    """The copy, in which a test may change and add files; they are put back after it."""
    before = {file: file.read_bytes() for file in copied.rglob("*.py")}
    monkeypatch.setattr(source_files, "ROOT", copied)
    yield copied
    for file in copied.rglob("*.py"):
        if file not in before:
            file.unlink()
        elif file.read_bytes() != before[file]:
            file.write_bytes(before[file])


def of_run(*chosen):
    source_files._read.cache_clear()
    return source_files.of_run(*(chosen or CHOSEN))


def replaced(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    thinned(
        [
            ("train.py", "run.check_free()", "pass"),
            ("experiments/run/loop/objectives.py", "from_logits=True", "from_logits=False"),
            ("experiments/run/inputs.py", '"{seed}/{stream}"', '"{stream}/{seed}"'),
            ("models/layers/convolution.py", '"same" if native', '"valid" if native'),
            ("models/layers/engine/convolve.py", "1 - after", "2 - after"),
            ("models/padding/modes/circular.py", "position % size", "position"),
            ("models/padding/modes/zeros.py", "looks_ahead=False", "looks_ahead=True"),
            ("models/padding/amounts/same.py", "total // 2, total", "total // 3, total"),
            ("models/architectures/small_cnn.py", '"average"', '"mean"'),
            ("data/builders/placed_digits.py", '"1.1.0"', '"2.0.0"'),
            ("data/builders/scenes.py", "rng.permutation", "rng.another"),
            ("data/builders/streams.py", "default_rng", "another_rng"),
            ("data/sources/store.py", "def read(", "def read_it("),
            ("data/epochs/pipeline.py", "ORDER, AUGMENT = 0, 1", "ORDER, AUGMENT = 1, 0"),
        ],
        4,
    ),
)
def test_a_change_to_what_trains_counts(checkout, file, old, new):
    before = of_run()
    replaced(checkout / file, old, new)
    after = of_run()
    assert {name for name in before if before[name] != after[name]} == {file}


@pytest.mark.full
@pytest.mark.parametrize(
    "file",
    thinned(
        [
            "experiments/report/writing.py",
            "experiments/report/statistics/verdict.py",
            "experiments/probes/shift.py",
            "experiments/terminal.py",
            "experiments/study/jobs.py",
            "experiments/run/record/board.py",
            "models/architectures/vgg16.py",
            "models/padding/modes/reflect.py",
            "models/geometry/findings/rules_of_size.py",
            "data/builders/co2.py",
            "data/sources/image_folder.py",
        ],
        4,
    ),
)
def test_reports_probes_help_and_what_was_not_chosen_do_not_count(checkout, file):
    before = of_run()
    with (checkout / file).open("a") as source:
        source.write("\nCHANGED = 1\n")
    assert of_run() == before
    assert file not in before


def test_comments_docstrings_and_layout_do_not_count(checkout):
    before = of_run()
    file = checkout / "models/layers/convolution.py"
    replaced(file, '"""Convolutions with a padding', '"""Other words. Convolutions with a padding')
    line = "        if self.left_to_keras:\n"
    replaced(file, line, f"        # why\n\n{line}")
    replaced(file, "def splits(self, input_shape", "def splits(self,  input_shape")
    assert of_run() == before


def test_the_options_of_a_models_tests_do_not_count(checkout):
    before = of_run()
    replaced(checkout / "models/architectures/small_cnn.py", "TINY = {", 'TINY = {"dropout": 0.5, ')
    assert of_run() == before


def test_a_new_model_and_a_new_data_set_change_no_other_run(checkout):
    before = of_run()
    architectures, builders = checkout / "models/architectures", checkout / "data/builders"
    shutil.copy(architectures / "small_cnn.py", architectures / "x.py")
    shutil.copy(builders / "co2.py", builders / "y.py")
    assert of_run() == before
    assert "models/architectures/x.py" in of_run("x", "built", "y", ())


def test_an_architecture_brings_what_it_is_made_of():
    files = source_files.of_run("inception", "tfds", "cifar10", ["odd_reflect"])
    assert "models/architectures/vgg16.py" in files  # whose `scaled` it uses
    assert "data/sources/catalogue.py" in files
    assert "models/padding/modes/reflect.py" in files  # on which odd_reflect stands
    assert "models/architectures/small_cnn.py" not in files
    assert not any(name.startswith(("data/builders/co2", "conf/", "docs/")) for name in files)


def test_imports_for_the_type_checker_do_not_count():
    assert "data/shapes.py" not in source_files.of_run(*CHOSEN)  # inputs.py names it in a hint


def test_the_signature_counts_its_own_tracing_and_not_the_loop():
    files = source_files.of_signature(*CHOSEN)
    assert "models/geometry/tracing/signature.py" in files
    assert "experiments/run/loop/training.py" not in files


def test_one_digest_tells_any_change():
    files = source_files.of_run(*CHOSEN)
    assert source_files.digest(files) == source_files.digest(dict(reversed(files.items())))
    assert source_files.digest(files) != source_files.digest(files | {"train.py": "0"})
