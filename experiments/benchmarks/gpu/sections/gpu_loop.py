"""The speed of the training loop, a bare Keras `fit` and PyTorch's loop, interleaved."""

from __future__ import annotations

from collections.abc import Sequence

from conf import device
from conf.schema import SCAN
from experiments.benchmarks.gpu.setting import Cost, Setting
from experiments.run import framework

PLACE = 5
TITLE = "The training loop"
ASKS = (
    "padzoo's loop, a bare Keras fit and the loop that a PyTorch user would write (not compiled, "
    "the epoch's arrays on the GPU), in turn, from arrays in the computer's memory."
)
GOAL = "at least 1.0 × PyTorch's images/s in each"
SECONDS = Cost(least=45, most=150, tiny=20)
CASES = (("small_cnn", 512), ("vgg16_full", 512), ("causal_conv1d", 512))
TINY_CASES = (("small_cnn", 8),)
ROUNDS, SECONDS_A_ROUND, MOST_STEPS = 7, 0.4, 60
TABLE, NEEDED = "Images per second", 25.0


def measure(setting: Setting) -> None:
    compare(setting, TINY_CASES if setting.tiny else CASES)


def compare(setting: Setting, cases: Sequence[tuple[str, int]]) -> None:
    """Measure networks at batch sizes, row by row."""
    framework.start("jax")
    from experiments.benchmarks.loop import __main__ as loop
    from experiments.benchmarks.loop import loop_report
    from experiments.benchmarks.pytorch.torch_loop import Peer

    engine = SCAN if setting.tiny else "auto"  # as `auto` is on a GPU
    on = loop.On("jax", [setting.precision], SECONDS_A_ROUND, MOST_STEPS, engine)
    rounds, steps = (2, 2) if setting.tiny else (ROUNDS, None)
    peer = Peer() if device.installed("torch") else None
    if peer is None:
        setting.record.note("PyTorch is not installed: there is no comparison.")
    try:
        if peer:
            peer.ask(threads=device.cores())
        for network, batch in cases:
            if not setting.tiny and not setting.enough(NEEDED, f"{network} at {batch}"):
                continue
            with setting.noted(f"{network} at {batch}"):  # the next network may fit
                loops, count = loop.prepare(network, batch, steps, peer, on)
                seconds = loop.interleave(loops, rounds)
                for row in loop_report.rows(network, batch, count, seconds):
                    setting.record.row(TABLE, **row, precision=setting.precision)
    finally:
        if peer:
            peer.close()
    rows = setting.record.rows(TABLE)
    if not rows:
        raise RuntimeError("no network could be measured: see the notes")
    theirs = [row for row in rows if row["compared_with"] == "PyTorch"] or rows
    other = theirs[0]["compared_with"]
    told = ", ".join(f"{r['network']} {r['batch_size']}: {r['ratio']:.2f}" for r in theirs)
    setting.record.say(n=f"{rounds} rounds", summary=f"× {other}: {told}")
