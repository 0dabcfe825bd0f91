import pytest

from experiments.terminal import Sweep, clock, sizes


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (75.2, "1:15"), (3599.6, "1:00:00"), (3700, "1:01:40")]
)
def test_a_clock_reads_like_one(seconds, text):
    assert clock(seconds) == text


def test_map_sizes_leave_out_repeats():
    layers = [{"output_size": s} for s in [(8, 8), (8, 8), (6, 6), (3, 3), (3, 3), ()]]
    assert sizes(layers) == "8×8 → 6×6 → 3×3"


def test_a_sweep_tells_its_place_and_the_time_left(capsys):
    sweep = Sweep(3)
    sweep.begin()
    sweep.trained(10.0)
    sweep.begin()
    sweep.trained(20.0)
    sweep.begin()
    lines = capsys.readouterr().out.split("\n")
    assert [line for line in lines if line] == [
        "[run 1 of 3]",
        "[run 2 of 3, about 0:20 left]",
        "[run 3 of 3, about 0:15 left]",
    ]
