"""What a user does, as processes: train, sweep, read the event files, kill, resume."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from experiments.benchmarks.gpu import cpu_reference, processes
from experiments.benchmarks.gpu.setting import FLOAT32, TINY_MODEL, Cost, Setting, cached
from experiments.report.statistics.paired import paired_interval
from experiments.run.record import event_files, files

PLACE = 2
TITLE = "What a user does"
MARGIN = 1.5
ASKS = (
    "train.py in separate processes: the default, a causal network on sequences, a sweep of "
    "three paddings over two seeds whose event files are read back, a kill and the resume."
)
GOAL = (
    "event files that hold accuracy against padding; the 90 % interval of GPU − CPU, five seeds, "
    f"within ±{MARGIN} points"
)
SECONDS = Cost(least=90, most=270, tiny=60)
TEST_ACCURACY = "test/accuracy"
PADDINGS, SWEPT = ("same", "valid", "reflect"), (0, 1)
DEFAULT = cpu_reference.CELLS["default"]
CAUSAL = cpu_reference.CELLS["causal"]
ENGINE = "trainer.engine=scan"  # as `auto` is on a GPU
SHORT = (*TINY_MODEL, "data.examples=120", "trainer.epochs=5", ENGINE)
SHORT_CAUSAL = (
    *("model.channels=4", "model.levels=2"),
    *("data.examples=120", "trainer.epochs=1", ENGINE),
)
KILLED_AFTER = 2  # epochs
NEEDED = 20.0  # seconds for one more process


def measure(setting: Setting) -> None:
    default = (*DEFAULT, *SHORT) if setting.tiny else DEFAULT
    causal = (*CAUSAL, *SHORT_CAUSAL) if setting.tiny else CAUSAL
    found = [_sweep(setting, default)]
    setting.record.say(n=f"{len(PADDINGS)} paddings", summary=found[0])
    cache = setting.work / "cold"
    _path(setting, "cold", cache, *default, "study=cold")
    if setting.enough(NEEDED, "a kill and the resume"):
        found.append(_kill_and_resume(setting, default))
    agreement = _beside_the_cpu(setting, default)
    for name, overrides in (
        ("with the compilation cache", (*default, "study=warm")),
        ("causal", (*causal, "study=causal")),
        (FLOAT32, (*default, "study=float32", f"trainer.precision={FLOAT32}")),
    ):
        if name == FLOAT32 == setting.precision or (setting.tiny and name.startswith("with")):
            continue  # nothing that would be another
        own = cache if name.startswith("with") else None
        if setting.enough(NEEDED, name):
            with setting.noted(name):
                _path(setting, name, own, *overrides)
    for name in ["cold"] if setting.tiny else ["cold", "with the compilation cache"]:
        if setting.enough(NEEDED, f"the first step, {name}"):
            with setting.noted(f"the first step, {name}"):
                _first_step(setting, name, causal if setting.tiny else default)
    swept = len(setting.record.rows("Event files"))
    setting.record.say(
        n=f"{swept} runs of {len(PADDINGS)} paddings; {agreement[0]}",
        summary="; ".join([*found, agreement[1]]),
    )


def _first_step(setting: Setting, name: str, overrides: tuple[str, ...]) -> None:
    """Seconds from the start of the process to the end of its first training step."""
    command = processes.python("experiments.benchmarks.start", "backend=jax", *overrides)
    log = setting.work / "logs" / f"first-step-{name.split()[0]}.log"
    environment = cached(setting.work / "first")
    ended = processes.run(command, seconds=setting.left, log=log, environment=environment)
    _check(ended)
    stages = processes.answer(log)["seconds"]
    row = {stage: round(seconds, 2) for stage, seconds in stages.items()}
    setting.record.row("First step", cache=name, process=round(ended.seconds, 2), **row)


def _path(setting: Setting, name: str, cache: Path | None, *overrides: str) -> None:
    """One run as a user starts it; records its time and result in a row."""
    ended = setting.train(name.replace(" ", "-"), *overrides, cache=cache)
    _check(ended)
    (run,) = _runs(setting, _study(overrides))
    results, config = run_results(run), files.read_json(run / "config.json")
    setting.record.row(
        "Runs",
        run=name,
        model=config["model"]["name"],
        data=config["data"]["name"],
        precision=config["trainer"]["precision"],
        epochs=results["epochs"],
        process_seconds=round(ended.seconds, 1),
        set_up_seconds=round(results["setup_seconds"], 1),
        training_seconds=round(results["train_seconds"], 1),
        images_per_second=round(results["images_per_second"]),
        test_accuracy=round(100 * results["test_accuracy"], 2),
    )


def _sweep(setting: Setting, overrides: tuple[str, ...]) -> str:
    """Three paddings over two seeds, and the content of their event files."""
    seeds = SWEPT[: 1 if setting.tiny else None]
    chosen = [f"padding={','.join(PADDINGS)}", f"seed={','.join(map(str, seeds))}"]
    ended = setting.train("sweep", "-m", *overrides, *chosen, "study=three")
    _check(ended)
    runs = _runs(setting, "three")
    for run in runs:
        padding, accuracy = accuracy_by_padding(run)
        recorded = run_results(run)["test_accuracy"]
        if abs(accuracy - recorded) > 1e-6:
            raise RuntimeError(f"{run}: the event file says {accuracy}, results.json {recorded}")
        row = {"padding": padding, "seed": run.name.removeprefix("seed=")}
        setting.record.row("Event files", **row, test_accuracy=round(100 * accuracy, 2))
    found = {(row["padding"], row["seed"]) for row in setting.record.rows("Event files")}
    wanted = {(padding, str(seed)) for padding in PADDINGS for seed in seeds}
    if found != wanted:
        raise RuntimeError(f"the event files lack {sorted(wanted - found)}")
    took = f"{ended.seconds:.0f} s"
    setting.record.note(f"The sweep of {len(runs)} runs took {took} as one process.")
    return f"{len(runs)} event files hold accuracy against padding"


def accuracy_by_padding(run: Path) -> tuple[str, float]:
    """(padding, test accuracy between 0 and 1) as TensorBoard finds them in a run's event file.

    Raises:
        RuntimeError: they are missing.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    if not list(run.glob(event_files.EARLIER)):
        raise RuntimeError(f"{run} holds no event file")
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    try:
        told = events.PluginTagToContent(metadata.PLUGIN_NAME)
        start = HParamsPluginData.FromString(told[metadata.SESSION_START_INFO_TAG])
        padding = start.session_start_info.hparams["padding"].string_value
        return padding, events.Scalars(TEST_ACCURACY)[-1].value
    except KeyError:
        lacks = f"the event file of {run} lacks the padding or the test accuracy"
        raise RuntimeError(lacks) from None


def _kill_and_resume(setting: Setting, overrides: tuple[str, ...]) -> str:
    """Kill a run after its first epochs, and let the same command resume it."""
    command = setting.command(*overrides, "study=killed")
    killed = _kill(setting, command)
    ended = setting.train("resume", *overrides, "study=killed")
    _check(ended)
    (run,) = _runs(setting, "killed")
    (whole,) = _runs(setting, "cold")
    starts = len(files.read_json(run / "meta.json")["starts"])
    epochs = run_results(run)["epochs"]
    accuracy, left_alone = (100 * run_results(r)["test_accuracy"] for r in (run, whole))
    setting.record.row(
        "Kill and resume",
        killed_after_epochs=killed,
        starts=starts,
        epochs=epochs,
        test_accuracy=round(accuracy, 2),
        left_alone=round(left_alone, 2),
        difference=round(accuracy - left_alone, 2),
    )
    if starts != 2 or epochs != run_results(whole)["epochs"]:
        raise RuntimeError(f"{starts} starts and {epochs} epochs after a kill and a resume")
    return f"killed after epoch {killed} and resumed ({accuracy - left_alone:+.2f} points)"


def _kill(setting: Setting, command: list[str]) -> int:
    """Start a run and kill it after two epochs; returns the number of its epochs."""
    log = setting.work / "logs" / "killed.log"
    with log.open("wb") as file:
        running = subprocess.Popen(
            command, cwd=processes.CHECKOUT, stdout=file, stderr=subprocess.STDOUT
        )
        try:
            while (epochs := _epochs(setting)) < KILLED_AFTER:
                if running.poll() is not None:
                    said = processes.Ended(running.returncode, 0.0, log)
                    raise RuntimeError(f"it ended before it could be killed: {said.why()}")
                if setting.left < 0:
                    raise RuntimeError("no time was left to kill a run")
                time.sleep(0.005)
        finally:
            running.send_signal(signal.SIGKILL)
            running.wait()
    if running.returncode != -signal.SIGKILL:
        raise RuntimeError("the run ended before it could be killed")
    return epochs


def _epochs(setting: Setting) -> int:
    found = list((setting.runs / "killed").glob("*/seed=*/metrics.csv"))
    return len(found[0].read_text().splitlines()) - 1 if found else 0


def _beside_the_cpu(setting: Setting, overrides: tuple[str, ...]) -> tuple[str, str]:
    """Five seeds of the default run here, minus those on the CPU; (n, result)."""
    if setting.tiny:
        return "no comparison with the CPU", "a rehearsal is not compared with the CPU"
    reference = cpu_reference.read()
    seeds = [str(seed) for seed in cpu_reference.SEEDS]
    if not setting.enough(40, "five seeds beside the CPU's"):
        return "no comparison with the CPU", "five seeds: no time was left"
    chosen = ["padding=same", f"seed={','.join(seeds)}"]
    _check(setting.train("seeds", "-m", *overrides, *chosen, "study=three"))
    runs = {run.name.removeprefix("seed="): run for run in _runs(setting, "three", "*-same-*")}
    here = {seed: run_results(runs[seed])["test_accuracy"] for seed in seeds}
    there = reference.get("default", {}).get("accuracy", {})
    for seed in seeds:
        other = round(100 * there[seed], 2) if seed in there else None
        row = {"seed": seed, "GPU": round(100 * here[seed], 2), "CPU": other}
        setting.record.row("Compared with the CPU", **row)
    n = f"{len(seeds)} seeds"
    if not all(seed in there for seed in seeds):
        setting.record.note("The CPU's accuracies are not measured yet.")
        return n, "GPU − CPU: the CPU is not measured yet"
    _say_if_the_data_differ(setting, runs[seeds[0]], reference["default"])
    on_the_gpu, on_the_cpu = ([100 * arm[seed] for seed in seeds] for arm in (here, there))
    mean, low, high = paired_interval(on_the_gpu, on_the_cpu, confidence=0.90)
    met = "within" if max(-low, high) <= MARGIN else "not within"
    return n, (f"GPU − CPU {mean:+.2f} points [90 %: {low:+.2f}, {high:+.2f}], {met} ±{MARGIN:g}")


def _say_if_the_data_differ(setting: Setting, run: Path, reference: dict[str, Any]) -> None:
    own = files.read_json(run / "data.json")["fingerprint"]
    if own != reference["fingerprint"]:
        setting.record.note(f"The data differ: {own} here, {reference['fingerprint']} on the CPU.")


def run_results(run: Path) -> dict[str, Any]:
    """The content of a run's results.json."""
    found = files.read_json(run / "results.json")
    if found is None:
        raise RuntimeError(f"{run} is not complete")
    return found


def _runs(setting: Setting, study: str, cell: str = "*") -> list[Path]:
    found = (setting.runs / study).glob(f"{cell}/seed=*/results.json")
    return sorted(path.parent for path in found)


def _study(overrides: tuple[str, ...]) -> str:
    (study,) = (o.removeprefix("study=") for o in overrides if o.startswith("study="))
    return study


def _check(ended: processes.Ended) -> None:
    if ended.code != 0:
        raise RuntimeError(f"{ended.log.stem}: {ended.why()}")
