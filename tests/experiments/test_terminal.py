import pytest

from conf.reader import ConfigError
from experiments import terminal
from experiments.terminal import BAD, FAILED, STOPPED, TRACEBACK, call, clock, hushed, say


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (75.2, "1:15"), (3599.6, "1:00:00"), (3700, "1:01:40")]
)
def test_a_clock_reads_like_one(seconds, text):
    assert clock(seconds) == text


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
            "pip install -c constraints.txt no_such_package",
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
