import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from conf import schema
from conf.choices import PROBES, probes_of
from conf.commandline import ROOT
from conf.help_page import help_page
from conf.reader import ConfigError


def config(*overrides: str) -> schema.Config:
    with initialize_config_dir(str(ROOT), version_base="1.3"):
        composed = compose("config", list(overrides))
    return schema.from_dict(OmegaConf.to_container(composed, resolve=True))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (None, ()),
        ("all", tuple(PROBES)),
        ("shift", ("shift",)),
        (["swap", "shift", "swap"], ("shift", "swap")),
        ([], ()),
    ],
)
def test_what_is_asked_for_is_read(given, names):
    assert probes_of(given) == names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("shfit", "did you mean shift? allowed: all, border"),
        (["shift", "swop"], "unknown probe 'swop': did you mean swap?"),
        (3, "probes takes all, a name or a list of names"),
        ([["shift"]], "probes takes all"),
        ({"shift": True}, "probes takes all"),
    ],
)
def test_what_is_no_probe_is_refused(given, message):
    with pytest.raises(ConfigError) as refusal:
        probes_of(given)
    assert message in str(refusal.value)


def test_the_configuration_holds_names():
    assert config().probes == ()
    assert config("probes=[swap,shift]").probes == ("shift", "swap")
    assert config("probes=all").probes == tuple(PROBES)
    asked = config("probes=shift")
    assert schema.from_dict(asked.to_dict()) == asked


def test_a_measurement_makes_no_other_run():
    assert config("probes=all").identity("d") == config().identity("d")
    assert config("probes=all").cell("d") == config().cell("d")


def test_the_help_page_says_what_there_is():
    page = help_page()
    for name, meaning in PROBES.items():
        assert f"  {name}" in page and meaning in page
