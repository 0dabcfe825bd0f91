"""Everything that every data set of the registry owes."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import data
from conf import commandline
from data import builders, shapes
from data.tasks import without_labels
from models import registry
from tests.contract import data_contract as contract
from tests.helpers import full, thinned

CHOICES = list(commandline.options("data"))
BUILDERS = sorted(file.stem for file in contract.FOLDER.glob("*.py") if contract.is_builder(file))
SOURCES = {
    n: OmegaConf.load(commandline.ROOT / "data" / f"{n}.yaml").get("source") for n in CHOICES
}
MADE = [name for name, source in SOURCES.items() if source == "built"]
# Of the catalogue, those whose name the file sets; npz and image_folder are the user's own.
FETCHED = [name for name, source in SOURCES.items() if source == "tfds" != name]
SHARED = Path(
    os.environ.get("PADZOO_TFDS", Path(__file__).parents[2] / "../shared/tensorflow_datasets")
)


def config(name, folder):
    """What `data=<name>` composes to, its sets in `folder`."""
    with initialize_config_dir(str(commandline.ROOT), version_base="1.3"):
        values = OmegaConf.to_container(compose("config", [f"data={name}"]).data)
    augment = data.AugmentConfig(**values.pop("augment"))
    values |= {"task": without_labels(values["made_for"])}
    return data.DataConfig(**{**values, "augment": augment, "data_dir": str(folder)})


@pytest.mark.parametrize("name", BUILDERS)
def test_a_builder_is_complete(name):
    contract.check_the_file(name)


@pytest.mark.parametrize("name", CHOICES)
def test_it_can_be_chosen(name):
    contract.check_the_yaml(name)


@pytest.mark.parametrize("name", [*thinned(MADE, 3), *map(full, FETCHED)])
def test_it_is_well_formed(name, data_dir):
    chosen = config(name, data_dir)
    if chosen.source == "built":
        data.ensure(chosen)
    else:
        chosen = dataclasses.replace(chosen, data_dir=str(SHARED), examples=2000)
        if data.fingerprint(chosen) is None:
            pytest.skip(f"{chosen.name} is not prepared in {SHARED}; set PADZOO_TFDS")
    contract.check_the_data(name, chosen)
    if chosen.made_for is not None:
        contract.check_the_data(name, dataclasses.replace(chosen, task=chosen.made_for))
    contract.check_that_sources_stay_apart(name, chosen)


@pytest.mark.full
@pytest.mark.parametrize("name", MADE)
def test_it_is_generated_alike(name, data_dir, tmp_path):
    chosen = config(name, data_dir)
    data.ensure(chosen)
    contract.check_it_is_generated_alike(name, chosen, tmp_path)


SET = '''
"""A set that is made in a moment."""

VERSION = "1.0.0"


class Builder:
    name = "mine"
    VERSION = "1.0.0"
    RELEASE_NOTES = {"1.0.0": "First version."}
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """`mine(code, yaml)` puts a set into a copy of the registry; None leaves a file out."""
    folder, conf = tmp_path / "data" / "builders", tmp_path / "conf"
    folder.mkdir(parents=True)
    shutil.copytree(commandline.ROOT / "data", conf / "data")
    monkeypatch.setattr(builders, "__file__", str(folder / "__init__.py"))
    monkeypatch.setattr(builders, "__path__", [str(folder)])
    monkeypatch.setattr(contract, "FOLDER", folder)
    monkeypatch.setattr(commandline, "ROOT", conf)
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(code=SET, yaml="# mine\nname: mine\nsource: built\nepochs: 3\n"):
        (folder / "mine.py").write_text(code)
        if yaml is not None:
            (conf / "data" / "mine.yaml").write_text(yaml)
        builders.versions.cache_clear()

    yield write
    import sys

    sys.modules.pop("data.builders.mine", None)
    builders.versions.cache_clear()


def test_a_whole_set_passes(mine):
    mine()
    contract.check_the_file("mine")
    contract.check_the_yaml("mine")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('VERSION = "1.0.0"\n\n', "", "data/builders/mine.py must set VERSION.*'1.0.0'"),
        ('name = "mine"', 'name = "other"', "Builder.name is 'other' and must be .*'mine'"),
        ('    VERSION = "1.0.0"', '    VERSION = "2.0.0"', "Builder.VERSION = tfds.core.Version"),
        ("class Builder", "class Maker", "data/builders/mine.py has no class Builder"),
        ('{"1.0.0": "First version."}', "{}", "RELEASE_NOTES must say what 1.0.0 is"),
    ],
)
def test_a_fault_of_a_builder_says_what_to_write_where(mine, old, new, message):
    assert old in SET
    mine(SET.replace(old, new, 1))
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_file("mine")


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("name: mine\nsource: built\nepochs: 3\n", "mine.yaml must begin with a line"),
        ("# mine\nname: mine\nsource: built\n", "mine.yaml must set epochs"),
        ("# mine\nname: mnie\nsource: built\nepochs: 3\n", "data/builders/mnie.py is not there"),
    ],
)
def test_a_fault_of_the_yaml_says_what_to_write(mine, yaml, message):
    mine(yaml=yaml)
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_yaml("mine")


def test_a_builder_without_a_yaml_is_told(mine):
    mine(yaml=None)
    with pytest.raises(pytest.fail.Exception, match="write conf/data/mine.yaml:\n.*\n  name: mine"):
        contract.check_the_file("mine")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("class Builder: ...\n", "data/builders/mine.py must set VERSION to a literal at its top"),
        ("class Builder\n", "data/builders/mine.py, line 1: expected ':'"),
    ],
)
def test_the_program_says_so_too(mine, code, message):
    mine(code)
    for ask in (data.fingerprint, shapes.shape):
        with pytest.raises(data.DataError, match=message) as told:
            ask(data.DataConfig("mine", "built"))
        assert "\n" not in str(told.value)


X, Y = np.random.default_rng(0).normal(size=(6, 4, 1)), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": X}, "holds float64"),
        ({"y": Y}, "labels of int64"),
        ({"y": Y[:5].astype("int32")}, "6 examples, 5 labels"),
        ({"y": (Y + 1).astype("int32")}, "labels of shape .* from 1 to 2"),
        ({"x": np.zeros((6, 4, 1), "float32")}, "all alike"),
        ({"x": np.full((6, 4, 1), np.nan, "float32")}, "not finite"),
        ({"margin": np.zeros(3, "float32")}, "margin has 3 entries for 6"),
    ],
)
def test_a_split_that_is_not_well_formed_is_told(changes, message):
    spec = data.Spec("sequence", (4, 1), 2, ("a", "b"), "x", (0,), (1,), "none", "none", "test")
    good = {"x": X.astype("float32"), "y": Y.astype("int32"), "ids": np.arange(6)}

    def check(split):
        contract.check_the_split("it", split, spec)
        contract.check_the_labels("it", split, spec)

    check(data.Split(**good))
    with pytest.raises(pytest.fail.Exception, match=message):
        check(data.Split(**good | changes))


@pytest.mark.parametrize(
    ("y", "pictures", "message"),
    [
        (np.zeros((6, 4, 5, 2), "float64"), True, "targets of float64"),
        (np.zeros((6, 4, 4, 2), "float32"), True, "of shape"),
        (np.zeros((6, 4, 5), "int32"), False, "masks from 0 to 0"),
        (np.full((6, 4, 5), 2, "int32") - np.eye(4, 5, dtype="int32"), False, "masks from 1 to 2"),
    ],
)
def test_target_images_that_are_not_well_formed_are_told(y, pictures, message):
    spec = data.Spec("image", (4, 5, 1), 2, (), "x", (0,), (1,), "none", "none", "test")
    x = np.random.default_rng(0).normal(size=(6, 4, 5, 1)).astype("float32")
    good = np.repeat(x, 2, axis=-1) if pictures else (x[..., 0] > 0).astype("int32")
    contract.check_the_images("it", data.Split(x, good, np.arange(6)), spec, pictures)
    with pytest.raises(pytest.fail.Exception, match=message):
        contract.check_the_images("it", data.Split(x, y, np.arange(6)), spec, pictures)


def test_every_kind_of_data_is_one_that_a_model_takes():
    assert set(registry.SPATIAL_RANK) == set(registry.kinds().values())
