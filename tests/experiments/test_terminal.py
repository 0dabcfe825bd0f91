import pytest

from experiments.terminal import clock, hushed, say, sizes


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (75.2, "1:15"), (3599.6, "1:00:00"), (3700, "1:01:40")]
)
def test_a_clock_reads_like_one(seconds, text):
    assert clock(seconds) == text


def test_map_sizes_leave_out_repeats():
    layers = [{"output_size": s} for s in [(8, 8), (8, 8), (6, 6), (3, 3), (3, 3), ()]]
    assert sizes(layers) == "8×8 → 6×6 → 3×3"


def test_nothing_is_said_while_hushed(capsys):
    say("before")
    with hushed():
        say("inside")
    say("after")
    assert capsys.readouterr().out == "before\nafter\n"
