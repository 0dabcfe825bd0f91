import re

import pytest

import models
from conf.commandline import ROOT, check, help_of, options, readable
from conf.help_page import GROUPS, choices, help_page
from conf.reader import ConfigError


def test_the_help_page_lists_every_choice_with_what_it_is():
    page = help_page()
    for group in GROUPS:
        for name, text in options(group).items():
            assert len(text) > 10
            assert re.search(rf"^  {name} {{2,}}{re.escape(text)}$", page, re.MULTILINE)
    assert "@package" not in page


def test_models_that_cannot_be_trained_stand_apart_on_the_help_page():
    page = help_page()
    classify, images = re.findall(r"^model=  .*\n((?:  .*\n)+)", page, re.MULTILINE)
    assert "small_cnn" in classify and "tcn" in classify
    assert re.findall(r"^  (\w+)", images, re.MULTILINE) == [
        name
        for name in options("model")
        if name in models.names() and models.gives(name) == "image"
    ]
    assert "segmentation or super-resolution" in page


def test_the_paddings_fit_on_a_line_of_the_help_page():
    assert max(map(len, choices("padding"))) <= 100


def test_every_group_of_the_configuration_is_on_the_help_page():
    folders = {path.name for path in ROOT.iterdir() if any(path.glob("*.yaml"))}
    assert folders <= set(GROUPS)


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ([], 1),
        (["padding=valid", "seed=3"], 1),
        (["-m", "padding=same,valid,reflect", "seed=0,1,2"], 9),
        (["-m", "seed=range(10)"], 10),
        (["--cfg", "job"], 1),
        (["+padding.overrides.stage1_conv1=reflect"], 1),
    ],
)
def test_good_arguments_are_counted(arguments, runs):
    assert check(arguments) == runs


def test_an_unknown_flag_is_told_in_one_line():
    with pytest.raises(ConfigError, match="unrecognized arguments: --foo; --help"):
        readable(["--foo"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["padding=refelct"], "unknown padding 'refelct': did you mean reflect"),
        (["-m", "padding=same,valdi"], "unknown padding 'valdi': did you mean valid?"),
        (["+paddding=same"], "unknown key 'paddding': did you mean padding?"),
        (["++trainer.epoch=3"], "unknown key 'trainer.epoch': did you mean trainer.epochs"),
        (["+padding.overides.stage1=valid"], "did you mean padding.overrides"),
        (["+model.widht=3"], "unknown key 'model.widht': did you mean model.widths"),
        (["epochs"], "cannot read 'epochs'"),
        (["padding=null"], "unknown padding 'null'"),
        (["padding=[same,valid]"], "unknown padding '['same', 'valid']'"),
        (["~model"], "no setting can be removed"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments, message):
    with pytest.raises(ConfigError) as caught:
        check(arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_directory_can_be_typed_as_it_is():
    typed = ["evaluate=runs/a b/it's/seed=0", "padding=same,valid", "data.path=x.npz"]
    assert readable(typed) == ["evaluate='runs/a b/it\\'s/seed=0'", *typed[1:]]
    assert readable(readable(typed)) == readable(typed)
    assert check(readable([*typed[:1], "runs_dir=~/runs", "data.path=a,b.npz"])) == 1


def test_flags_may_stand_anywhere():
    assert readable(["seed=0", "-m", "padding=same,valid", "--cfg", "job"]) == [
        *("-m", "--cfg", "job"),
        *("seed=0", "padding=same,valid"),
    ]


def test_a_file_without_its_yaml_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("conf.commandline.ROOT", tmp_path / "conf")
    for group, folder in {"model": "models/architectures", "data": "data/builders"}.items():
        (tmp_path / "conf" / group).mkdir(parents=True)
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "mine.py").touch()
        told = f"{folder}/mine.py is there, and conf/{group}/mine.yaml is not: write it"
        with pytest.raises(ConfigError, match=told):
            check([f"{group}=mine"])
        with pytest.raises(ConfigError, match=f"unknown {group} 'other'"):
            check([f"{group}=other"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# what it is\n# Source   a paper\nname: x\n", "what it is"),
        ("# @package _global_\n# what it is\n", "what it is"),
        ("name: x  # what it is\n", ""),
        ("name: x\n# what it is\n", ""),
        ("", ""),
    ],
)
def test_what_a_file_says_of_itself_stands_at_its_top(tmp_path, text, said):
    (tmp_path / "x.yaml").write_text(text)
    assert help_of(tmp_path / "x.yaml") == said
