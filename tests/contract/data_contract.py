"""What every data set owes, as checks that say what to write where."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np

import data
from conf import commandline
from data import builders
from data.tasks import TASKS
from models.registry import SPATIAL_RANK, why_not
from tests.contract.faults import fault

FOLDER = Path(builders.__file__).parent
# Values and labels as a network gets them.
VALUES, LABELS = np.float32, np.int32


def is_builder(file):
    """Whether a module makes a set; the others are what builders share."""
    return "class Builder" in file.read_text() or why_not(file, "VERSION") is None


def check_the_file(name):
    """The builder's own file: VERSION, and a Builder of that name, version and release note."""
    file, where = FOLDER / f"{name}.py", f"data/builders/{name}.py"
    if reason := why_not(file, "VERSION"):
        raise fault(f"{reason}: the version of what it makes, such as '1.0.0'")
    builder = getattr(importlib.import_module(f"data.builders.{name}"), "Builder", None)
    if builder is None:
        raise fault(f"{where} has no class Builder(tfds.core.GeneratorBasedBuilder)")
    if builder.name != name:
        raise fault(
            f"{where}: Builder.name is {builder.name!r} and must be that of the file: {name!r}"
        )
    if str(builder.VERSION) != builders.versions()[name]:
        raise fault(f"{where}: Builder.VERSION = tfds.core.Version(VERSION)")
    if str(builder.VERSION) not in (builder.RELEASE_NOTES or {}):
        raise fault(f"{where}: RELEASE_NOTES must say what {builder.VERSION} is")
    if not (commandline.ROOT / "data" / f"{name}.yaml").is_file():
        raise fault(
            f"no file of conf/data chooses {name}: write conf/data/{name}.yaml:\n"
            "  # what it is, in one line: the help page shows it\n"
            f"  name: {name}\n  source: built\n  epochs: 10"
        )


def check_the_yaml(name):
    """A choice of conf/data: a line of help, and settings that mean something."""
    from omegaconf import OmegaConf

    file, where = commandline.ROOT / "data" / f"{name}.yaml", f"conf/data/{name}.yaml"
    if not commandline.help_of(file):
        raise fault(f"{where} must begin with a line `# what it is`: the help page shows it")
    values = OmegaConf.to_container(OmegaConf.load(file)) or {}
    for key in ("name", "source", "epochs"):
        if key not in values:
            raise fault(f"{where} must set {key}")
    if values["source"] == "built" and values["name"] not in builders.versions():
        code = f"data/builders/{values['name']}.py"
        raise fault(f"{where}: {code} is not there, or sets no VERSION")


def check_the_data(name, config):
    """What is loaded is well formed: types, shapes, classes, splits that share no example."""
    loaded = data.load(config)
    spec, splits = loaded.spec, {"train": loaded.train, "test": loaded.test}
    if loaded.validation is not None:
        splits["validation"] = loaded.validation
    if len(spec.input_shape) != SPATIAL_RANK[spec.kind] + 1:
        raise fault(f"data={name}: {spec.kind}s of shape {spec.input_shape}")
    pictures = config.task is not None and TASKS[config.task].target == "picture"
    if pictures and (spec.class_names or spec.target_std is None):
        raise fault(f"data={name}: pictures with the classes {spec.class_names}")
    if not pictures and (len(spec.class_names) != spec.num_classes or spec.num_classes < 2):
        raise fault(f"data={name}: {spec.num_classes} classes called {spec.class_names}")
    if config.source == "built" and f"/{builders.versions()[config.name]}+" not in spec.fingerprint:
        raise fault(
            f"data={name}: version {spec.fingerprint} is not that of data/builders/{name}.py"
        )
    for split, part in splits.items():
        check_the_split(f"data={name}, the {split} split", part, spec)
        if config.image_target:
            check_the_images(f"data={name}, the {split} split", part, spec, pictures)
        else:
            check_the_labels(f"data={name}, the {split} split", part, spec)
    found = np.unique(np.asarray(loaded.train.y))
    if not pictures and not np.array_equal(found[found >= 0], np.arange(spec.num_classes)):
        raise fault(
            f"data={name}: the training split has the labels {found}, not all of the classes"
        )
    if spec.normalize == "standardize":
        x = np.asarray(loaded.train.x)
        axes = tuple(range(x.ndim - 1))
        if not np.allclose(x.mean(axes), 0, atol=0.01) or not np.allclose(
            x.std(axes), 1, atol=0.01
        ):
            raise fault(f"data={name}: the training split is not standardised")


def check_the_split(where, part, spec):
    """One split: as many targets as examples, finite numbers."""
    x, y = np.asarray(part.x), np.asarray(part.y)
    if not len(x) or len(x) != len(y) or len(part.ids) != len(y):
        raise fault(f"{where} has {len(x)} examples, {len(y)} labels and {len(part.ids)} ids")
    if x.dtype != VALUES or x.shape[1:] != spec.input_shape:
        raise fault(f"{where} holds {x.dtype} of shape {x.shape[1:]}")
    if not np.isfinite(x).all() or x.min() == x.max():
        raise fault(f"{where} holds values that are not finite, or all alike")
    for column in ("margin", "source_ids", "subset"):
        values = getattr(part, column)
        if values is not None and len(values) != len(y):
            raise fault(f"{where}: {column} has {len(values)} entries for {len(y)} examples")


def check_the_labels(where, part, spec):
    """Classes that there are, one for each example or each scored step."""
    y = np.asarray(part.y)
    steps = () if spec.scored_steps is None else (spec.scored_steps,)
    if y.dtype != LABELS:
        raise fault(f"{where} has labels of {y.dtype}")
    if y.shape[1:] != steps or y.max() >= spec.num_classes or y.min() < (-1 if steps else 0):
        raise fault(f"{where} has labels of shape {y.shape[1:]} from {y.min()} to {y.max()}")


def check_the_images(where, part, spec, pictures):
    """Pictures of finite numbers, or masks of classes that there are, of the input's size."""
    y = np.asarray(part.y)
    size = (*part.x.shape[1:3], spec.num_classes) if pictures else part.x.shape[1:3]
    kind = VALUES if pictures else LABELS
    if y.dtype != kind or y.shape[1:] != size or not np.isfinite(y).all():
        raise fault(f"{where} has targets of {y.dtype}, of shape {y.shape[1:]}")
    if not pictures and (y.max() >= spec.num_classes or y.min() < -1 or y.min() == y.max()):
        raise fault(f"{where} has masks from {y.min()} to {y.max()}")


def check_it_is_generated_alike(name, config, folder):
    """A second copy, in `folder`, holds the same examples, by the digest of its content."""
    where = f"data/builders/{config.name}.py"
    builder = importlib.import_module(f"data.builders.{config.name}").Builder
    if "content" not in builder(data_dir=config.data_dir).info.metadata:
        raise fault(
            f"{where}: _split_generators must set "
            'self.info.metadata["content"] = content_digest(splits)'
        )
    again = replace(config, data_dir=str(folder))
    data.ensure(again)
    if data.fingerprint(again) != data.fingerprint(config):
        raise fault(
            f"{where} generates other examples at each call: draw from "
            "np.random.default_rng(a number of your own)"
        )


def check_that_sources_stay_apart(name, config):
    """No drawing, file or moment that a set names (`source_id`) serves training and another split.

    But for subsets that say of themselves that they repeat what was trained on.
    """
    loaded = data.load(config)
    train = loaded.train.source_ids
    for split in (loaded.validation, loaded.test):
        if train is None or split is None or split.source_ids is None:
            continue
        own = split.source_ids
        if split.subset is not None:
            own = own[split.subset == split.subset[0]]
        if shared := set(np.ravel(train)) & set(np.ravel(own)):
            raise fault(
                f"data={name}: {len(shared)} of source_id are in training and in another split"
            )
