"""Calls that take turns: their order, what they are served, and how they end."""

import functools
import signal
import threading

import pytest

from experiments.run import framework
from experiments.run.loop.seeds import turns


class Served(turns.Ask):
    """Asks for the names of all that wait."""

    def __init__(self, name):
        self.name, self.together = name, None

    def serve(self, asks, say):
        say(" ".join(one.name for one in asks))
        for one in asks:
            one.together = [other.name for other in asks]


def call(name, times, order):
    for number in range(times):
        order.append(f"{name}{number}")
        turns.ask(one := Served(name))
        assert one.together is not None
    order.append(f"{name} ends")
    return name


@pytest.fixture(autouse=True)
def uninterrupted():
    """By nothing before the test; a signal interrupts, which a script's background job ignores."""
    framework.INTERRUPTED.clear()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
    framework.INTERRUPTED.clear()


def test_each_has_its_turn_until_it_asks_and_the_asks_are_served_together():
    order, said = [], []
    calls = [functools.partial(call, name, times, order) for name, times in (("a", 2), ("b", 1))]
    assert turns.together(calls, said.append) == ["a", "b"]
    assert order == ["a0", "b0", "a1", "b ends", "a ends"]
    assert said == ["a b", "a"]
    assert not turns.taken()


def test_an_error_of_one_leaves_the_others_alone():
    order = []

    def fails():
        turns.ask(Served("x"))
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        turns.together([fails, functools.partial(call, "a", 3, order)], order.append)
    assert order[-1] == "a ends"


@pytest.mark.parametrize("where", ["in a call", "while serving", "by a signal"])
def test_an_interrupt_ends_all_where_they_ask_and_begins_no_other(where):
    ended, begun = [], []

    def waits(name):
        begun.append(name)
        try:
            turns.ask(Served(name))
            turns.ask(Served(name))
        finally:
            ended.append(name)

    def interrupts():
        begun.append("interrupts")
        if where == "in a call":
            raise KeyboardInterrupt
        if where == "by a signal":
            signal.raise_signal(signal.SIGINT)
        turns.ask(Interrupting("interrupts") if where == "while serving" else Served("b"))

    class Interrupting(Served):
        def serve(self, asks, say):
            raise KeyboardInterrupt

    calls = [interrupts, functools.partial(waits, "a"), functools.partial(waits, "c")]
    if where == "in a call":
        calls = [calls[1], calls[0], calls[2]]
    with pytest.raises(KeyboardInterrupt):
        turns.together(calls, str)
    if where == "in a call":
        assert (begun, ended) == (["a", "interrupts"], ["a"])
    else:
        assert sorted(ended) == [name for name in sorted(begun) if name != "interrupts"]


def test_after_an_interrupt_no_call_begins():
    framework.INTERRUPTED.set()
    begun = []
    with pytest.raises(KeyboardInterrupt):
        turns.together([functools.partial(begun.append, "a")], str)
    assert begun == []


def test_all_threads_but_one_wait():
    running, most = [0], [0]
    lock = threading.Lock()

    def counts():
        for _ in range(3):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            threading.Event().wait(0.01)
            with lock:
                running[0] -= 1
            turns.ask(Served("x"))

    turns.together([counts] * 4, str)
    assert most == [1]
