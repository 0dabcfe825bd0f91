import ast
import contextlib
import re
import threading
from pathlib import Path

import pytest

import models
from conf.reader import ConfigError
from data.config import LAYOUT_HINTS
from experiments import terminal
from experiments.terminal import BAD, FAILED, STOPPED, TRACEBACK, call, clock, hushed, live, say
from models.messages import LAYOUTS


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (75.2, "1:15"), (3599.6, "1:00:00"), (3700, "1:01:40")]
)
def test_a_clock_reads_like_one(seconds, text):
    assert clock(seconds) == text


def test_only_the_thread_that_is_hushed_says_nothing(capsys):
    def other():
        say("the other's")

    with hushed():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        say("its own")
    assert capsys.readouterr().out == "the other's\n"


def test_one_display_moves_at_a_time():
    moving = []

    @contextlib.contextmanager
    def display(name):
        moving.append(name)
        yield
        moving.remove(name)

    with live(display("a")), live(display("b")):
        assert moving == ["a"]
    with live(display("c")):
        assert moving == ["c"]


def test_nothing_is_said_while_hushed(capsys):
    say("before")
    with hushed():
        say("inside")
    say("after")
    assert capsys.readouterr().out == "before\nafter\n"


def broken(arguments):
    raise RuntimeError("nobody\nforesaw this")


def test_an_unexpected_error_is_one_line_that_names_the_switch(capsys, monkeypatch):
    monkeypatch.delenv(TRACEBACK, raising=False)
    assert call(broken) == FAILED
    said = capsys.readouterr().err
    assert said == "error: RuntimeError: nobody foresaw this (PADZOO_TRACEBACK=1 shows where)\n"


def test_the_switch_shows_where_it_came_from(capsys, monkeypatch):
    monkeypatch.setenv(TRACEBACK, "1")
    assert call(broken) == FAILED
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "error: RuntimeError: nobody foresaw this"
    assert any("in broken" in line for line in rest)


def refused(arguments):
    open("/dev/null/no/such/place")  # noqa: SIM115


def misread(arguments):
    raise ConfigError("seed must be a whole number")


def incomplete(arguments):
    import no_such_package  # noqa: F401


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (refused, "/dev/null/no/such/place cannot be read or written: Not a directory"),
        (misread, "seed must be a whole number"),
        (
            incomplete,
            "the package no_such_package is missing; install it with: "
            "pip install -c constraints.txt no_such_package "
            "(all that training needs: -e '.[train]')",
        ),
    ],
)
def test_what_one_can_mend_is_one_line_without_a_switch(capsys, command, said):
    assert call(command) == BAD
    assert capsys.readouterr().err == f"error: {said}\n"


def test_ctrl_c_ends_a_command_in_one_line(capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    assert call(interrupted) == STOPPED
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_command_is_given_the_programs_arguments(monkeypatch):
    monkeypatch.setattr(terminal.sys, "argv", ["program", "a", "b"])
    assert call(len) == 2


@pytest.mark.parametrize(
    ("said", "in_overrides"),
    [
        ("input is 24x24.", "input is 24x24."),
        ("smallest square input is 24x24.", "smallest square input is 24x24: data.resize=24."),
        (
            "next smaller square input that works is 24x24, the next larger 32x32.",
            "next smaller square input that works is 24x24: data.resize=24, the next larger: "
            "data.resize=32.",
        ),
        (
            "next larger square input that works is 8x8.",
            "next larger square input that works is 8x8: data.resize=8.",
        ),
        ("head='average' or head='last'.", "model.head=average or model.head=last."),
        ("name='causal_conv1d', head='steps'.", "model=causal_conv1d model.head=steps."),
        ("fewer `levels`, a smaller `width`", "fewer model.levels, a smaller model.width"),
        ("(padding='causal', pools='follow')", "(padding=causal padding.pools=follow)"),
        ("or padding='even_split', which", "or padding=even_split, which"),
        ("must be bool or None. Rec", "must be bool or null. Rec"),
        ("use inputs of 31 or 33 pixels", "use inputs of 31 or 33 pixels"),
    ],
)
def test_the_librarys_arguments_are_the_command_lines_overrides(said, in_overrides):
    assert terminal.in_overrides(said) == in_overrides


def test_so_are_its_words_about_layouts():
    for likely, hint in LAYOUTS.items():
        assert "data." not in hint
        for text in (hint, f"{hint[0].upper()}{hint[1:]}. More"):
            assert "data." in terminal.in_overrides(text)
            assert terminal.in_overrides(text).lower().startswith(LAYOUT_HINTS[likely].lower())


def test_a_mistake_of_the_library_is_said_in_overrides(capsys):
    def collapse(arguments):
        models.build("small_cnn", input_shape=(8, 8, 1), num_classes=2, padding="valid")

    assert call(collapse) == BAD
    said = capsys.readouterr().err
    assert "input is 24x24: data.resize=24. Received: input_shape=(8, 8, 1)" in said


def test_no_message_of_the_library_speaks_of_overrides():
    """`data.` and `model.` begin overrides; in a string of the library they are a slip."""
    group = re.compile(r"\b(data|model|trainer|padding|optimizer)(\.\w+)?=[a-z0-9…]")
    slips = [
        f"{file.name}: {node.value}"
        for file in Path(models.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if group.search(node.value) and "\n" not in node.value  # which a docstring has
    ]
    assert slips == []
