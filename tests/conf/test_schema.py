"""Configurations composed by Hydra as a user would, then read."""

import dataclasses

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import models
from conf import device, schema
from conf.commandline import ROOT, options
from conf.reader import ConfigError
from models.padding import NAMED, PaddingError

SEQUENCE = ("model=causal_conv1d", "data=mnist1d")


def config(*overrides: str) -> schema.Config:
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        composed = compose("config", list(overrides))
    return schema.from_dict(OmegaConf.to_container(composed, resolve=True))


def cell(*overrides: str) -> str:
    return config(*overrides).cell("data/1.0")


def test_every_padding_of_the_registry_has_a_config_that_means_the_same():
    assert set(options("padding")) == set(NAMED)
    for name, padding in NAMED.items():
        model = SEQUENCE if name == "causal" else ()
        assert config(f"padding={name}", *model).padding.padding == padding


OWN = {"npz": "data.path=a.npz", "image_folder": "data.path=a", "tfds": "data.name=tfds"}
SETS = {"sequential_mnist": "mnist", "permuted_mnist": "mnist", "emnist": "emnist/balanced"}


@pytest.mark.parametrize("data", options("data"))
def test_every_data_set_composes(data):
    composed = config(f"data={data}", OWN.get(data, "seed=0")).data
    assert composed.name == SETS.get(data, data)
    assert composed.label in (data, composed.name)


@pytest.mark.parametrize("name", models.names())
def test_a_models_config_holds_its_builders_options_and_defaults(name):
    written = config(f"model={name}", "padding=same").model.options
    assert written == {k: _plain(v) for k, v in models.options(name).items()}


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


VARIANTS = {"tcn": "causal_conv1d", "googlenet": "inception", "resnet18": "resnet"}


@pytest.mark.parametrize("group", ["model", "optimizer", "schedule"])
def test_every_component_composes(group):
    for name in options(group):
        padding = "padding=same"
        assert getattr(config(f"{group}={name}", padding), group).name == VARIANTS.get(name, name)


@pytest.mark.parametrize(
    ("name", "more", "shape", "classes", "parameters"),
    [
        ("tcn", [], (784, 1), 10, 66_910),  # Bai et al. 2018, Table 1: "70K"
        ("googlenet", ["model.batch_norm=false"], (224, 224, 3), 1000, 6_998_552),
    ],
)
def test_the_named_variants_are_the_published_networks(name, more, shape, classes, parameters):
    model = config(f"model={name}", "padding=same", *more).model
    built = models.build(model.name, input_shape=shape, num_classes=classes, **model.options)
    assert built.count_params() == parameters


PRESETS = [f"{group}={name}" for group in ("experiment", "debug") for name in options(group)]


@pytest.mark.parametrize("choice", PRESETS)
def test_a_preset_keeps_its_own_values(choice):
    preset = OmegaConf.to_container(OmegaConf.load(ROOT / f"{choice.replace('=', '/')}.yaml"))
    chosen = {}
    for entry in preset.pop("defaults", []):
        if entry != "_self_":
            ((key, name),) = entry.items()
            chosen[key.split("/")[1]] = name
    read = config(choice).to_dict()
    assert {group: read[group]["name"] for group in chosen} == chosen
    for group, values in preset.items():
        if isinstance(values, dict):
            assert {k: read[group][k] for k in values} == values
        else:
            assert read[group] == values


def test_the_command_line_wins_over_a_preset():
    changed = config("experiment=red_green", "data=red_green", "trainer.epochs=3", "padding=full")
    assert (changed.data.name, changed.trainer.epochs) == ("red_green", 3)
    assert changed.padding.label == "full"
    assert changed.model.options["head"] == "max"


def test_a_preset_for_quick_looks_shortens_an_experiment():
    assert config("experiment=red_green", "debug=smoke").trainer.epochs == 2


def test_a_plain_dictionary_round_trips():
    first = config("padding=reflect", "data.augment.crop=2", "seeds.init=0", "model.widths=[4,8]")
    assert schema.from_dict(first.to_dict()) == first


def test_seed_paths_and_display_are_no_part_of_the_identity():
    same = ["seed=5", "study=other", "runs_dir=elsewhere", "rerun=true", "trainer.progress=false"]
    assert cell() == cell(*same, "data.data_dir=elsewhere", "data.memory=2")


def test_the_same_effective_configuration_is_the_same_cell():
    assert cell("padding=reflect") == cell("padding=same", "padding.mode=reflect")
    assert cell() == cell("trainer.epochs=10")
    assert cell("model.dropout=0") == cell("model.dropout=0.0")
    one = cell("padding=explicit")
    assert one == cell("padding=explicit", "padding.amount=[[1,1],[1,1]]", "padding.mode=zeros")
    assert one != cell("padding=explicit", "padding.amount=[[1,1],[1,2]]")
    assert cell("padding=reflect") == cell("padding=same", "padding.mode=[reflect,reflect]")
    assert cell() == cell("data.augment.crop_mode=reflect")
    globe = ["padding=same", "padding.mode=[replicate,circular]"]
    assert cell("padding=latitude_longitude") == cell(*globe)
    assert cell("padding=causal_rows") == cell("padding.amount=[causal,same]")
    assert cell("padding=causal", *SEQUENCE) == cell("padding.amount=[causal]", *SEQUENCE)
    by_name = "padding.overrides={stage1*: reflect}"
    assert cell(by_name) == cell("padding.overrides={stage1*: {mode: reflect}}")


def test_neighbouring_paddings_are_different_cells():
    names = ["same", "same_lower", "even_split", "input", "causal_rows", "causal_columns"]
    cells = {cell(f"padding={name}") for name in (*names, "latitude_longitude", "random", "mean")}
    assert len(cells) == len(names) + 3


def test_the_seed_of_the_noise_counts_where_there_is_noise():
    assert cell() == cell("seeds.padding=1")
    assert cell("padding=random") != cell("padding=random", "seeds.padding=1")
    noisy = "padding.overrides={stage1*: random}"
    assert cell(noisy) != cell(noisy, "seeds.padding=1")


def test_options_that_came_later_leave_the_cells_of_earlier_runs_where_they_are():
    identity = config().identity("data/1.0")
    assert "freeze" not in identity["trainer"]
    assert "engine" not in identity["trainer"]
    scanned = config("backend=jax", "trainer.engine=scan").identity("data/1.0")
    assert scanned["trainer"]["engine"] == "scan"
    for engine in ("scan", "fit"):  # on TensorFlow to the bit the same
        same = config("backend=tensorflow", f"trainer.engine={engine}")
        assert same.cell("data/1.0") == config("backend=tensorflow").cell("data/1.0")
    assert set(identity["seeds"]) == {"init", "order", "augment"}
    assert cell() != cell("trainer.freeze=stage1*")


@pytest.mark.parametrize(
    "override",
    ["padding=valid", "trainer.epochs=3", "model.dropout=0.1", "data.examples=100", "seeds.init=1"],
)
def test_what_changes_the_numbers_changes_the_cell(override):
    assert cell() != cell(override)


def test_the_order_of_overrides_counts():
    first = "padding.overrides={stage1*: reflect, stage*: valid}"
    second = "padding.overrides={stage*: valid, stage1*: reflect}"
    assert cell(first) != cell(second)


def test_only_runs_whose_last_batch_is_left_out_have_another_name():
    own = config("trainer.batch_size=64")
    assert own.cell("data/1.0", examples=464) == own.cell("data/1.0")
    assert own.cell("data/1.0", examples=10) == own.cell("data/1.0")
    assert own.cell("data/1.0", examples=450) != own.cell("data/1.0")


def test_runs_go_to_a_folder_that_is_named():
    with pytest.raises(ConfigError, match="^runs_dir must name a folder"):
        config("runs_dir=")


def test_the_device_is_no_part_of_a_runs_name_and_one_of_three():
    assert config("device=cpu").cell("d") == config("device=gpu").cell("d") == config().cell("d")
    with pytest.raises(ConfigError, match="^unknown device 'tpu'"):
        config("device=tpu")


@pytest.mark.parametrize("threads", [0, -1, "many", 1025, True])
def test_threads_are_auto_or_a_number(threads):
    with pytest.raises(ConfigError, match=r"^trainer\.threads must be "):
        config(f"trainer.threads={threads}")


SCANNED = ("backend=jax", "trainer.engine=scan")


def test_jax_scans_only_what_is_compiled():
    with pytest.raises(ConfigError, match=r"^trainer\.jit=false needs trainer\.engine=fit"):
        config(*SCANNED, "trainer.jit=false")
    assert not config("backend=jax", "trainer.jit=false").trainer.jit
    assert not config("backend=tensorflow", "trainer.engine=scan", "trainer.jit=false").trainer.jit


@pytest.mark.parametrize("seeds", [0, -1, "many", 1025, 2.5, True])
def test_seeds_at_once_are_auto_or_a_number(seeds):
    with pytest.raises(ConfigError, match=r"^trainer\.seeds_at_once must be "):
        config(*SCANNED, f"trainer.seeds_at_once={seeds}")


@pytest.mark.parametrize("others", [("backend=tensorflow",), ("backend=jax", "trainer.engine=fit")])
def test_seeds_at_once_need_the_engine_that_scans(others):
    with pytest.raises(ConfigError, match=r"^trainer\.seeds_at_once=8 needs trainer\.engine=scan"):
        config(*others, "trainer.seeds_at_once=8")
    assert config(*others, "trainer.seeds_at_once=1").trainer.seeds_at_once == 1


def test_seeds_at_once_are_one_unless_asked_and_leave_the_cell_where_it_is(monkeypatch):
    several = config(*SCANNED, "trainer.seeds_at_once=8")
    assert several.trainer.seeds_at_once == 8
    assert config(*SCANNED).trainer.seeds_at_once == 1
    assert several.cell("data/1.0") == config(*SCANNED).cell("data/1.0")
    monkeypatch.setattr(schema, "SEEDS_AT_ONCE", 4)
    assert config(*SCANNED).trainer.seeds_at_once == 4
    assert config("backend=jax", "trainer.engine=fit").trainer.seeds_at_once == 1


def test_what_does_not_act_on_the_data_is_no_part_of_the_identity():
    mnist = config("data=mnist").identity("data/1.0")["data"]
    assert not {"sequence", "permutation", "test"} & set(mnist)
    assert cell() != cell("trainer.restore_best=true")
    own = ["data=image_folder", "data.path=a"]
    assert cell(*own) != cell(*own, "data.test=0.3")


def test_the_layout_is_part_of_the_identity_where_it_is_not_the_usual():
    npz = ["data=npz", "data.path=a.npz"]
    assert "layout" not in config(*npz).identity("data/1.0")["data"]
    assert cell(*npz) == cell(*npz, "data.layout=channels_last")
    assert cell(*npz) != cell(*npz, "data.layout=channels_first")


def test_plain_and_permuted_pixels_are_told_apart():
    model = ["model=causal_conv1d", "padding=causal"]
    plain, permuted = cell("data=sequential_mnist", *model), cell("data=permuted_mnist", *model)
    assert plain.startswith("causal_conv1d-causal-sequential_mnist-")
    assert permuted.startswith("causal_conv1d-causal-permuted_mnist-")
    assert permuted != cell("data=permuted_mnist", "data.permutation=1", *model)
    assert plain == cell("data=mnist", "data.sequence=true", *model)


def test_a_data_sets_variant_makes_no_folder_of_its_own():
    assert "/" not in cell("data=tfds", "data.name=cifar10_corrupted/fog_1")


def test_other_data_under_the_same_name_is_another_cell():
    assert config().cell("data/1.0") != config().cell("data/1.1")


@pytest.mark.parametrize(
    ("gpu", "precision", "jit", "engines"),
    [
        (None, "float32", False, ("scan", "fit")),
        (device.Device("gpu", "Old", bfloat16=False), "float32", True, ("fit", "scan")),
        (device.Device("gpu", "New", bfloat16=True), "mixed_bfloat16", True, ("fit", "scan")),
    ],
)
def test_auto_is_resolved_by_the_device(monkeypatch, gpu, precision, jit, engines):
    found = gpu or device.Device("cpu", "CPU", bfloat16=False)
    monkeypatch.setattr(device, "find", lambda backend, wanted="auto": found)
    trainer = config("backend=tensorflow").trainer
    assert (trainer.precision, trainer.jit, trainer.engine) == (precision, jit, engines[0])
    on_jax = config("backend=jax").trainer
    assert (on_jax.jit, on_jax.engine) == (True, engines[1])
    for backend in ("tensorflow", "jax"):  # Keras' own way to make several steps
        settings = config(f"backend={backend}", "trainer.steps_per_execution=2").trainer
        assert settings.engine == "fit"


def test_a_padding_of_images_is_refused_on_sequences():
    with pytest.raises(ConfigError, match="padding=causal_rows does not fit model=causal_conv1d"):
        config("padding=causal_rows", *SEQUENCE)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer.epochs=0"], "trainer.epochs must be at least 1; got 0"),
        (["trainer.steps=5"], "trainer.epochs=null trainer.steps=…"),
        (["trainer.engine=scna"], "did you mean scan"),
        (
            ["trainer.engine=scan", "trainer.steps_per_execution=5"],
            "leave out trainer.steps_per_execution=5, or take trainer.engine=fit",
        ),
        (["trainer.jit=maybe"], "trainer.jit must be auto, true or false"),
        (["trainer.seeds_at_once=null"], "trainer.seeds_at_once must be a whole number or text"),
        (["trainer.seeds_at_once=[2]"], "trainer.seeds_at_once must be a whole number or text"),
        (["trainer.precision=float61"], "did you mean float32"),
        (["trainer.label_smoothing=1.0"], "trainer.label_smoothing must be in [0, 1)"),
        (["seed=-1"], "seed must be between 0"),
        (["study=a/b"], "study must be a plain folder name"),
        (["padding.pools=both"], "allowed: follow, neutral"),
        (["padding=causal"], "padding=causal does not fit model=small_cnn"),
        (["model.name=vgg17"], "unknown model 'vgg17'"),
        (["padding=constant", "padding.value=[1,2]"], "padding.value must be a number; got [1, 2]"),
        (["padding.mode=[mean,zeros]"], "mode 'mean' fills the whole border at once"),
        (["padding=input", "padding.mode=partial"], "does not fit model=small_cnn: 'partial'"),
        (["padding.amount=[1,2,3]"], "does not fit model=small_cnn: `amount` must have one entry"),
        (["padding.amount=[input,1]"], "'input' pads all axes of an image and stands alone"),
        (["padding.overrides={s*: causal}"], "padding.overrides: causal does not fit s*"),
        (
            ["padding.overrides={s*: {amount: even_split, mode: partial}}"],
            "padding.overrides: even_split-partial does not fit s*: 'partial' counts",
        ),
        (
            ["padding=input", "padding.overrides={s*: {mode: reflect}}"],
            "input-reflect does not fit s*: 'input' pads a network's image once and is not an "
            "amount of Conv2D; give the override its own amount",
        ),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(overrides, message):
    with pytest.raises((ConfigError, PaddingError)) as caught:
        config(*overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_label_says_that_there_are_exceptions():
    assert config("padding.pools=follow").padding.label == "same+pools"
    override = config("+padding.overrides.stage1_conv1=reflect").padding
    assert override.label == "same+overrides"
    assert override == dataclasses.replace(override, overrides={"stage1_conv1": "reflect"})
