import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from conf.commandline import ROOT, parse
from conf.presets import expand, load
from conf.reader import ConfigError, DoesNotFitError
from conf.schema import from_dict

PRESETS = sorted(file.stem for file in (ROOT / "sweep").glob("*.yaml") if file.stem != "none")


def test_a_sweep_by_hand_is_every_combination():
    assert expand(["padding=same,valid", "model=small_cnn", "seed=range(2)"]) == [
        ["padding=same", "model=small_cnn", "seed=0"],
        ["padding=same", "model=small_cnn", "seed=1"],
        ["padding=valid", "model=small_cnn", "seed=0"],
        ["padding=valid", "model=small_cnn", "seed=1"],
    ]


def test_of_an_override_that_stands_twice_the_last_holds():
    assert expand(["seed=0,1", "padding=same", "seed=4"]) == [["seed=4", "padding=same"]]


def test_a_preset_brings_its_overrides_and_takes_others():
    runs = expand(["sweep=demo"])
    assert len(runs) == 4 * 6
    assert all("study=demo" in run and "sweep=demo" in run for run in runs)
    assert sum("padding=valid" in run for run in runs) == 6
    fewer = expand(["sweep=demo", "seed=7", "padding=same,circular"])
    assert [[o for o in run if o.startswith(("seed", "padding"))] for run in fewer] == [
        ["seed=7", "padding=same"],
        ["seed=7", "padding=circular"],
    ]


def test_the_seeds_of_a_preset_vary_slowest():
    seeds = [next(o for o in run if o.startswith("seed=")) for run in expand(["sweep=demo"])]
    assert seeds == sorted(seeds)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="did you mean demo"):
        expand(["sweep=dmeo"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_composes_and_keeps_what_it_says(preset):
    """Every cell is a configuration that can be meant, and the declaration reaches it."""
    found = load(preset)
    assert found.question and found.question.endswith("?")
    cells = {}
    for run in expand([f"sweep={preset}"]):
        cells.setdefault(tuple(o for o in run if not o.startswith("seed=")), run)
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        for run in cells.values():
            values = OmegaConf.to_container(compose("config", run), resolve=True)
            config = from_dict(values)
            assert config.study == preset
            assert config.sweep.baseline == found.baseline
            assert config.sweep.margin == found.margin
            for override in parse(run):
                if "." in override.key_or_group:
                    node = values
                    for part in override.key_or_group.split("."):
                        node = node[part]
                    assert node == override.value()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_the_header_that_people_read(preset):
    header = (ROOT / "sweep" / f"{preset}.yaml").read_text().split("question:")[0]
    for word in ("# Command", "# Size", "# Minutes", "# Expect"):
        assert word in header


def test_what_does_not_fit_is_told_apart_from_what_is_wrong():
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        values = OmegaConf.to_container(compose("config", ["padding=causal"]), resolve=True)
    with pytest.raises(DoesNotFitError, match="does not fit model=small_cnn"):
        from_dict(values)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sweep.margin=0", "must be positive"),
        ("sweep.metric=loss", "accuracy_on/<subset>"),
        ("sweep.looks=8", "must be increasing numbers of seeds above 1, as \\[8,12,20\\]; got 8"),
        ("sweep.looks=[12,8]", "must be increasing numbers of seeds above 1"),
        ("sweep.looks=[1,8]", "must be increasing numbers of seeds above 1"),
        ("sweep.looks=[]", "must be increasing numbers of seeds above 1"),
    ],
)
def test_a_declaration_that_means_nothing_is_refused(override, message):
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        values = OmegaConf.to_container(compose("config", [override]), resolve=True)
    with pytest.raises(ConfigError, match=message):
        from_dict(values)


def test_looks_are_declared_on_the_command_line():
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        values = OmegaConf.to_container(compose("config", ["sweep.looks=[8,12,20]"]), resolve=True)
    assert from_dict(values).sweep.looks == [8, 12, 20]
