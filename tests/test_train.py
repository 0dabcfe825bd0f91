"""One run, from the command to what it leaves."""

import contextlib
import csv
import dataclasses
import fcntl
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from conf.commandline import ROOT
from experiments.run.record.directory import Run
from tests.helpers import full, only_run, slow, thinned

CHECKOUT = ROOT.parent
HARD = ("model.dropout=0.3", "data.augment.crop=2", "data.augment.flip=true", "trainer.epochs=4")


def read(directory, name):
    return json.loads((directory / name).read_text())


def rows(directory):
    with open(directory / "metrics.csv") as file:
        return list(csv.DictReader(file))


def numbers(directory):
    """All that a run computed, timings aside."""
    columns = ("epoch", "step", "loss", "accuracy", "validation_loss", "learning_rate")
    with np.load(directory / "predictions.npz", allow_pickle=False) as file:
        predictions = {name: file[name].tolist() for name in file.files}
    metrics = [{name: row[name] for name in columns} for row in rows(directory)]
    return metrics, predictions, read(directory, "results.json")["test_accuracy"]


def test_a_run_leaves_what_it_promises(tiny):
    outcome = tiny("padding=reflect", "seed=3")
    assert outcome.code == 0
    assert outcome.err == ""
    run = only_run()
    assert run.name == "seed=3"
    assert run.parent.name.startswith("small_cnn-reflect-placed_digits-")
    results = read(run, "results.json")
    assert set(results) >= {
        "test_accuracy", "validation_accuracy", "per_class_accuracy", "accuracy_by_margin",
        "parameters", "macs", "final_map_size", "images_per_second", "step_ms",
        "setup_seconds", "train_seconds",
    }  # fmt: skip
    assert f"{100 * results['test_accuracy']:.2f} %" in outcome.out
    assert str(run) in outcome.out.replace("\n", "")
    assert read(run, "status.json")["status"] == "COMPLETED"
    (start,) = read(run, "meta.json")["starts"]
    assert start["seeds"]["seed"] == 3
    assert start["versions"]["keras"]
    assert len(rows(run)) == 2
    with np.load(run / "predictions.npz", allow_pickle=False) as predictions:
        right = predictions["predicted"] == predictions["label"]
        assert right.mean() == results["test_accuracy"]
        assert set(predictions.files) >= {"id", "label", "predicted", "probability"}
    total = sum(part["n"] for part in results["accuracy_by_margin"].values())
    assert total == len(right)
    names = [layer["name"] for layer in read(run, "geometry.json")]
    assert "stage1_conv1" in names
    leftovers = {path.name for path in run.iterdir() if path.suffix in (".part", ".tmp")}
    assert leftovers == set()
    assert not (run / "checkpoint.npz").exists()


@pytest.mark.full
def test_a_test_split_of_several_subsets_is_told_apart_everywhere(tiny):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from experiments.report import writing as report

    outcome = tiny("data=red_green")
    run = only_run()
    results = read(run, "results.json")
    found = results["accuracy_by_subset"]
    assert {name: part["n"] for name, part in found.items()} == dict.fromkeys(
        ("fresh_similar", "fresh_dissimilar", "similar", "dissimilar"), 1000
    )
    assert results["test_accuracy"] == found["fresh_similar"]["accuracy"]
    with np.load(run / "predictions.npz", allow_pickle=False) as predictions:
        right = predictions["predicted"] == predictions["label"]
        here = predictions["subset"] == "dissimilar"
        assert right[here].mean() == found["dissimilar"]["accuracy"]
    assert f"dissimilar: {100 * found['dissimilar']['accuracy']:.1f} %" in outcome.out
    events = EventAccumulator(str(run)).Reload()
    (scalar,) = events.Scalars("test/accuracy_on/dissimilar")
    assert scalar.value == pytest.approx(found["dissimilar"]["accuracy"])
    report.main(["runs/default"])
    table = Path("runs/default/report/report.md").read_text().split("accuracy on dissimilar |")[1]
    assert f"{100 * found['dissimilar']['accuracy']:.2f}" in table.split("\n")[0]


def test_a_complete_run_answers_at_once_and_rerun_repeats_it(tiny, finished):
    run = finished
    first, before = numbers(run), (run / "results.json").stat().st_mtime_ns
    again = tiny()
    assert again.code == 0
    assert "complete:" in again.out
    assert "since this run was trained" not in again.out
    assert (run / "results.json").stat().st_mtime_ns == before
    meta = read(run, "meta.json")
    for file, says in [
        ("train.py", "train.py has changed since this run was trained: rerun=true trains it anew"),
        (
            "models/architectures/small_cnn.py",
            "models/architectures/small_cnn.py (the model) and train.py have changed since this "
            "run was trained: rerun=true trains it anew",
        ),
    ]:
        meta["starts"][-1]["sources"][file] = "another"
        (run / "meta.json").write_text(json.dumps(meta))
        assert says in tiny().out.splitlines()
    tiny("rerun=true")
    assert (run / "results-1.json").exists()
    assert numbers(run) == first


@pytest.mark.slow
def test_a_last_batch_that_is_too_small_is_left_out_and_said(tiny):
    whole = tiny("data.examples=120", "trainer.batch_size=40")
    assert "leaves out" not in whole.out
    left = tiny("data.examples=123", "trainer.batch_size=40")
    assert (
        "each epoch leaves out 3 of 123 training examples, different ones each time: a "
        "last batch of 3 would count as much as one of 40"
    ) in left.out
    runs = {read(file.parent, "config.json")["data"]["examples"]: file.parent
            for file in Path().glob("runs/*/*/seed=0/config.json")}  # fmt: skip
    for run in runs.values():
        steps = [row.split(",")[1] for row in (run / "metrics.csv").read_text().splitlines()]
        assert steps == ["step", "3", "6"]


def test_a_gpu_that_is_not_there_is_one_line_before_anything_is_written(tiny, monkeypatch):
    monkeypatch.setattr("conf.device.DRIVER", Path("nothing"))
    outcome = tiny("device=gpu")
    assert outcome.code == 2
    assert outcome.err.startswith("error: device=gpu: ")
    assert outcome.err.endswith("; or use device=cpu\n")
    assert outcome.err.count("\n") == 1
    assert not Path("runs").exists()
    assert tiny("-m", "device=gpu", "padding=same,valid").code == 2
    assert not Path("runs").exists()


def stop_at(monkeypatch, method, call):
    """Make the `call`-th call of a Run's `method` end like Ctrl-C."""
    original, calls = getattr(Run, method), iter(range(call))

    def interrupted(self, *arguments):
        if next(calls, None) == call - 1:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(Run, method, interrupted)


def test_an_interrupted_run_resumes_bit_for_bit(tiny, monkeypatch):
    tiny(*HARD, "study=whole")
    whole = only_run(Path("runs"))
    with monkeypatch.context() as patch:
        # Between the checkpoint's write and the metrics' write, after the second epoch.
        stop_at(patch, "write_metrics", 2)
        outcome = tiny(*HARD, "study=broken")
    assert outcome.code == 130
    assert "the same command resumes" in outcome.err
    broken = next(Path("runs/broken").glob("*/seed=0"))
    assert read(broken, "status.json")["status"] == "INTERRUPTED"
    assert len(rows(broken)) == 1
    assert tiny(*HARD, "study=broken").code == 0
    assert numbers(broken) == numbers(whole)
    assert len(read(broken, "meta.json")["starts"]) == 2


@pytest.mark.slow
def test_dropout_augmentation_and_order_matter_to_the_numbers(tiny):
    """Else the resume test would prove little."""
    tiny(*HARD, "study=a")
    tiny(*HARD, "seeds.order=1", "study=b")
    tiny(*HARD, "seeds.augment=1", "study=c")
    tiny(*HARD, "model.dropout=0.0", "study=d")
    found = [numbers(next(Path("runs").glob(f"{s}/*/seed=0")))[0][-1]["loss"] for s in "abcd"]
    assert len(set(found)) == 4


def test_a_run_in_other_hands_is_left_alone(tiny, finished):
    run = finished
    (run / "status.json").write_text('{"status": "RUNNING"}')
    with open(run / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        outcome = tiny()
    assert "is being trained by another process" in outcome.out.replace("\n", " ")
    assert len(read(run, "meta.json")["starts"]) == 1


def test_a_loss_of_nan_fails_and_names_the_step(tiny):
    outcome = tiny("optimizer=sgd", "schedule=constant", "optimizer.learning_rate=1e30")
    assert outcome.code == 1
    assert "at step" in outcome.err
    assert outcome.err.count("\n") == 1
    status = read(only_run(), "status.json")
    assert status["status"] == "FAILED"
    assert "DivergedError" in status["traceback"]


@pytest.mark.slow
def test_initial_weights_do_not_depend_on_the_padding(tiny, monkeypatch):
    from experiments.run import inputs

    weights = []

    def build(*arguments, **seeds):
        model = original(*arguments, **seeds)
        weights.append([w.copy() for w in model.get_weights()])
        return model

    original = inputs.build
    monkeypatch.setattr(inputs, "build", build)
    tiny("-m", "padding=same,reflect,valid")
    assert len(weights) == 6  # planning looks at each network too
    first, *others = weights[3:]
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.full
def test_a_network_that_the_geometry_cannot_follow_trains(tiny, monkeypatch):
    import keras

    def turned(nn, input_shape, num_classes, **options):
        x = inputs = keras.Input(input_shape)
        x = nn.Conv2D(2, 3, name="conv")(nn.pad_input(x))
        x = keras.layers.Permute((2, 1, 3), name="turned")(x)
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(inputs, keras.layers.Dense(num_classes, dtype="float32")(x), name="t")

    monkeypatch.setattr("models.building.builder", lambda name: turned)
    monkeypatch.setattr("models.building.check_options", lambda name, options: None)
    outcome = tiny("model.dropout=0.0")
    assert outcome.code == 0, outcome.err
    assert "could not be determined: Layer 'turned' of type Permute is not followed" in outcome.out
    run = only_run()
    assert read(run, "status.json")["status"] == "COMPLETED"
    assert read(run, "geometry.json") == []
    assert [found["code"] for found in read(run, "findings.json")] == ["not_followed"]
    assert read(run, "results.json")["macs"] is None
    assert "parameters" in tiny("model.dropout=0.0").out  # its result can be shown again


@pytest.mark.full
def test_steps_are_a_duration_too(tiny):
    tiny("trainer.epochs=null", "trainer.steps=3")
    assert [row["step"] for row in rows(only_run())] == ["2", "3"]


@pytest.mark.slow
def test_several_steps_an_execution_are_the_same_training(tiny):
    """120 examples in batches of 50 are 3 steps an epoch: no multiple of 2."""
    tiny("trainer.epochs=3", "trainer.batch_size=50", "study=one")
    tiny("trainer.epochs=3", "trainer.batch_size=50", "trainer.steps_per_execution=2", "study=two")
    one, two = (rows(next(Path("runs", study).glob("*/seed=0"))) for study in ("one", "two"))
    assert [row["step"] for row in one] == [row["step"] for row in two] == ["3", "6", "9"]
    for a, b in zip(one, two, strict=True):
        assert float(a["loss"]) == pytest.approx(float(b["loss"]), rel=1e-4)
        assert float(b["images_per_second"]) > 0


@pytest.mark.full
def test_early_stopping_survives_an_interruption(tiny, monkeypatch):
    frozen = ("optimizer.learning_rate=0.0", "model.batch_norm=false", "trainer.epochs=9")
    with monkeypatch.context() as patch:
        stop_at(patch, "write_metrics", 2)
        tiny(*frozen, "trainer.early_stopping=2")
    tiny(*frozen, "trainer.early_stopping=2")
    assert len(rows(only_run())) == 3


@pytest.mark.slow
def test_the_best_epoch_is_tested_when_asked_for_also_after_an_interruption(tiny, monkeypatch):
    from experiments.run.loop import training

    validate = training.validate

    def run(study, *arguments, losses=(3.0, 1.0, 2.0, 1.0)):
        given = iter(losses)
        with monkeypatch.context() as patch:
            scripted = lambda *a: {**validate(*a), "validation_loss": next(given)}  # noqa: E731
            patch.setattr(training, "validate", scripted)
            tiny("schedule=constant", f"study={study}", *arguments)
            if study == "broken":
                tiny("schedule=constant", f"study={study}", *arguments)
        return next(Path(f"runs/{study}").glob("*/seed=0"))

    asked = ("trainer.restore_best=true", "trainer.epochs=4")
    whole, short = run("whole", *asked), run("short", "trainer.epochs=2")
    results = read(whole, "results.json")
    assert (results["tested_epoch"], results["epochs"]) == (2, 4)
    assert numbers(whole)[1:] == numbers(short)[1:]
    assert results["validation_accuracy"] == read(short, "results.json")["validation_accuracy"]
    assert numbers(whole)[1:] != numbers(run("last", "trainer.epochs=4"))[1:]
    stop_at(monkeypatch, "write_metrics", 3)
    assert numbers(run("broken", *asked)) == numbers(whole)


@pytest.mark.slow
def test_rerun_gets_a_failed_run_out_of_a_broken_checkpoint(tiny, monkeypatch):
    with monkeypatch.context() as patch:
        stop_at(patch, "write_metrics", 1)
        tiny()
    (only_run() / "checkpoint.npz").write_bytes(b"torn")
    broken = tiny()
    assert broken.code == 1
    assert "rerun=true" in broken.err
    assert broken.err.count("\n") == 1
    assert tiny().code == 1
    assert tiny("rerun=true").code == 0


@pytest.mark.full
def test_a_kill_while_starting_over_leaves_a_run_that_starts_again(tiny, finished, monkeypatch):
    run = finished
    first = numbers(run)
    with monkeypatch.context() as patch:
        stop_at(patch, "_set", 1)
        tiny("rerun=true")
    (run / "results.json").rename(run / "results-1.json")  # the worst moment of all
    assert tiny().code == 0
    assert numbers(run) == first


@pytest.mark.parametrize(
    "precision", [slow("float32"), slow("mixed_float16"), full("mixed_bfloat16")]
)
def test_every_precision_resumes(tiny, monkeypatch, precision):
    with monkeypatch.context() as patch:
        stop_at(patch, "write_metrics", 1)
        tiny(f"trainer.precision={precision}")
    assert tiny(f"trainer.precision={precision}").code == 0
    assert len(rows(only_run())) == 2


@pytest.mark.slow
def test_label_smoothing_and_following_pools_change_the_loss(tiny):
    tiny("study=plain", "padding=full")
    tiny("study=smooth", "padding=full", "trainer.label_smoothing=0.3")
    tiny("study=follow", "padding=full", "padding.pools=follow")
    found = [next(Path("runs", s).glob("*/seed=0")) for s in ("plain", "smooth", "follow")]
    assert len({rows(run)[0]["loss"] for run in found}) == 3


@pytest.mark.full
def test_early_stopping_ends_a_training_that_no_longer_improves(tiny):
    frozen = ("optimizer.learning_rate=0.0", "model.batch_norm=false")
    tiny(*frozen, "trainer.epochs=9", "trainer.early_stopping=2")
    losses = [float(row["validation_loss"]) for row in rows(only_run())]
    assert len(losses) == 3
    assert len(set(losses)) == 1


@pytest.mark.full
@pytest.mark.parametrize(
    "options",
    [
        full(("optimizer=sgd", "schedule=one_cycle", "optimizer.learning_rate=0.01")),
        slow(("optimizer=adadelta", "schedule=constant", "trainer.label_smoothing=0.1")),
        slow(("trainer.steps_per_execution=2",)),
        slow(("trainer.precision=mixed_bfloat16",)),
        full(("trainer.jit=true",)),
        slow(("padding.pools=follow", "padding=full")),
        ("padding.overrides={stage1_*: valid}", "data.normalize=unit", "data.resize=36"),
    ],
)
def test_every_option_trains(tiny, options):
    outcome = tiny(*options)
    assert (outcome.code, outcome.err) == (0, "")
    assert np.isfinite(float(rows(only_run())[-1]["loss"]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    thinned(
        [
            (["padding=refelct"], "did you mean reflect"),
            (["model=small_cn"], "did you mean small_cnn?"),
            (["data=minst"], "did you mean mnist"),
            (["paddding=same"], "did you mean padding?"),
            (["+paddding=same"], "did you mean padding?"),
            (["trainer.epochs=-3"], "trainer.epochs must be at least 1; got -3"),
            (["trainer.epochs=ten"], "trainer.epochs must be a whole number; got 'ten'"),
            (["padding=causal"], "does not fit model=small_cnn"),
            (["padding=causal", "padding.mode=reflect", "model=causal_conv1d"], "future"),
            (["padding=valid", "data.resize=16"], "data.resize=24"),
            (
                ["padding=spherical", "data.resize=28"],
                "'stage3_conv1' has a width of 7, and mode 'spherical' needs",
            ),
            (
                ["padding=spherical", "data.resize=28"],
                "data.resize=24, the next larger: data.resize=32.",
            ),
            (["padding=spherical", "model=causal_conv1d"], "has one axis"),
            (["model=causal_conv1d"], "small_cnn"),
            (["data=mnist1d"], "causal_conv1d"),
            (["data=tfds"], "data.name must be set"),
            (["data=tfds", "data.name=mnits"], "mnist"),
            (["data=cifar100"], "data.download=true"),
            (["data=npz"], "data.path"),
            (["data=npz", "data.path=missing.npz"], "missing.npz"),
            (["optimizer.name=adam"], "did you mean adamw"),
            (["+optimizer.momentun=0.9"], "optimizer.momentun"),
            (["+padding.overrides.nothing=valid"], "nothing"),
            (["evaluate=nowhere"], "is not a finished run"),
            (["model.widths=abc"], "`widths` of small_cnn must be a list of int"),
            (
                ["model.batch_norm=no"],
                "must be bool. Received: batch_norm='no'",
            ),
            (["model.dropout=x"], "`dropout` of small_cnn"),
            (["model.head=top"], "`head` of small_cnn must be 'average' or 'max'"),
            (["padding=null"], "unknown padding 'null'"),
            (["padding.amount=[1,2,3]"], "3"),
            (["padding.overrides={stage1*: {mode: 3}}"], "mode"),
            (["padding.overrides={1: reflect}"], "layer names"),
            (["~model"], "no setting can be removed"),
            (["optimizer=sgd", "optimizer.momentum=2"], "momentum"),
            (["data=image_folder"], "needs data.path=<folder>"),
            (["data=image_folder", "data.path=missing"], "data.path=missing is not a folder"),
            (["experiment=red_gren"], "did you mean red_green"),
            (["optimizer.learning_rate=nan"], "optimizer.learning_rate must be a number"),
            (
                [
                    "trainer.early_stopping=2",
                    "data=mnist1d",
                    "model=causal_conv1d",
                    "data.validation=0",
                ],
                "needs a validation split",
            ),
            (["--foo"], "unrecognized arguments"),
            (["-m", "seed=abc,-1"], "seed"),
            (["schedule.warmup=2"], "schedule.warmup must be between 0 and 1"),
        ],
        3,
    ),
)
def test_bad_input_is_one_line_and_leaves_nothing(program, arguments, message):
    outcome = program(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    lines = outcome.err.splitlines()
    assert all(line.startswith("error: ") for line in lines)
    assert len(lines) == 1
    assert list(Path().iterdir()) == []


def test_hydras_own_rerun_is_refused(program, tmp_path):
    """It would unpickle the file."""
    (tmp_path / "config.pickle").write_bytes(b"cos\nsystem\n(S'touch unpickled'\ntR.")
    outcome = program("--experimental-rerun=config.pickle")
    assert outcome.code == 2
    assert "--experimental-rerun is not offered" in outcome.err
    assert not (tmp_path / "unpickled").exists()


def test_data_that_would_have_to_be_unpickled_is_refused(program, tmp_path):
    arrays = {name: np.arange(4) for name in ("y_train", "x_test", "y_test")}
    np.savez(tmp_path / "my.npz", x_train=np.array([{}] * 4, dtype=object), **arrays)
    outcome = program("data=npz", "data.path=my.npz", "data.data_dir=null")
    assert outcome.code == 2
    assert "object" in outcome.err
    assert outcome.err.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.full
def test_a_finished_run_is_measured_again_on_its_own_and_on_other_data(
    finished, program, tmp_path, data_dir
):
    run = finished
    recorded = read(run, "results.json")["test_accuracy"]
    assert program(f"evaluate={run}").code == 0
    (own,) = run.glob("evaluations/placed_digits-*.json")
    assert json.loads(own.read_text())["test_accuracy"] == recorded

    # The same pictures as a file, among other training pictures: their own mean and sd differ.
    test = stored_test_split(data_dir)
    arrays = {
        "x_test": test.x,
        "y_test": test.y,
        "x_train": test.x[:40] // 2,
        "y_train": np.arange(40) % 10,
    }
    np.savez(tmp_path / "other.npz", **arrays)
    other = ("data=npz", "data.path=other.npz", "data.validation=0", "data.data_dir=null")
    outcome = program(f"evaluate={run}", *other)
    assert outcome.code == 0, outcome.err
    (found,) = run.glob("evaluations/npz*.json")
    assert json.loads(found.read_text())["test_accuracy"] == pytest.approx(recorded, abs=1e-3)
    assert read(run, "results.json")["test_accuracy"] == recorded


def stored_test_split(folder):
    """The test split of placed_digits as stored, 0 to 255."""
    import data

    loaded = data.load(data.DataConfig("placed_digits", "built", data_dir=folder, normalize="none"))
    return dataclasses.replace(loaded.test, x=loaded.test.x.astype(np.uint8))


@pytest.mark.parametrize("unused", ["padding=valid", "data.resize=40", "trainer.epochs=3"])
def test_evaluate_refuses_what_it_would_not_use(program, unused):
    tiny_run = Path("runs/default/cell/seed=0")
    tiny_run.mkdir(parents=True)
    (tiny_run / "status.json").write_text('{"status": "COMPLETED"}')
    (tiny_run / "results.json").write_text("{}")
    (tiny_run / "model.keras").touch()
    outcome = program(f"evaluate={tiny_run}", unused)
    assert outcome.code == 2
    assert "has no effect with evaluate" in outcome.err


@pytest.mark.slow
def test_a_saved_model_predicts_the_same_outside_the_project(tiny, tmp_path, data_dir):
    import data

    tiny("padding=reflect", "padding.amount=full")
    run = only_run().resolve()
    loaded = data.load(data.DataConfig("placed_digits", "built", data_dir=data_dir, examples=120))
    np.save(tmp_path / "x.npy", loaded.test.x)
    script = (
        f"import sys; sys.path.insert(0, {str(CHECKOUT)!r})\n"
        "import keras, models.layers, numpy as np\n"
        f"model = keras.saving.load_model({str(run / 'model.keras')!r})\n"
        f"logits = model.predict(np.load({str(tmp_path / 'x.npy')!r}), batch_size=256, verbose=0)\n"
        "print(*logits.argmax(axis=1))\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    with np.load(run / "predictions.npz", allow_pickle=False) as file:
        expected = file["predicted"].tolist()
    assert [int(word) for word in found.stdout.split()] == expected, found.stderr


@pytest.mark.full
def test_sigterm_interrupts_like_ctrl_c(tiny, monkeypatch):
    def kill(self, history):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Run, "write_metrics", kill)
    assert tiny().code == 130
    assert read(only_run(), "status.json")["status"] == "INTERRUPTED"


@pytest.mark.full
def test_an_interrupt_that_foreign_code_swallows_still_stops_the_run(tiny, monkeypatch):
    original, calls = Run.write_metrics, []

    def swallow(self, history):
        original(self, history)
        calls.append(len(history))
        if len(calls) == 1:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Run, "write_metrics", swallow)
    assert tiny("trainer.epochs=5").code == 130
    assert calls == [1]
    assert read(only_run(), "status.json")["status"] == "INTERRUPTED"


@pytest.mark.parametrize("name", [n for n in models.names() if models.gives(n) == "image"])
def test_a_model_that_gives_an_image_is_not_trained_to_classify(program, name):
    outcome = program(f"model={name}", "task=classification", "data=mnist", "data.data_dir=data")
    assert outcome.code == 2
    told = f"error: model={name} gives an image: task=classification takes model="
    assert outcome.err.startswith(told)
    assert "small_cnn" in outcome.err
    assert "unet," not in outcome.err and outcome.err.count("\n") == 1
    assert f"; {name} is for task=" in outcome.err
    assert list(Path().iterdir()) == []


def test_in_a_sweep_it_is_not_applicable(program):
    outcome = program("-m", "task=classification", "model=unet,fcn8", "padding=same,valid")
    assert outcome.code == 2
    assert "gives an image" in outcome.err
    assert not list(Path().glob("runs/*/*"))
