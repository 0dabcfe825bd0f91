"""Training in an environment with JAX and without TensorFlow, made as a user makes it.

PADZOO_JAX_PYTHON names its Python, as `make test-without-tensorflow` does; else it is installed in
a temporary folder.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from conf.commandline import ROOT
from tests.conftest import TINY

pytestmark = pytest.mark.environment
CHECKOUT = ROOT.parent
SEQUENCES = (
    "model=causal_conv1d",
    "padding=causal",
    "model.channels=8",
    "model.levels=2",
    "data.examples=200",
    "trainer.epochs=2",
)
# Read back in the environment itself: what TensorBoard finds there is what a user sees.
READ_BACK = """
import json, sys
from pathlib import Path
import keras, numpy as np
import data, models.layers
from conf.schema import from_dict
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
run = Path(sys.argv[1])
events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0}).Reload()
hparams = {t: HParamsPluginData.FromString(c)
           for t, c in events.PluginTagToContent(metadata.PLUGIN_NAME).items()}
start = hparams[metadata.SESSION_START_INFO_TAG].session_start_info.hparams
config = from_dict(json.loads((run / "config.json").read_text()))
model = keras.saving.load_model(run / "model.keras")
logits = model.predict(data.load(config.data).test.x, batch_size=256, verbose=0)
print(json.dumps({
    "scalars": {t: [p.step for p in events.Scalars(t)] for t in events.Tags()["scalars"]},
    "hparams": {n: v.string_value or v.number_value for n, v in start.items()},
    "status": hparams[metadata.SESSION_END_INFO_TAG].session_end_info.status,
    "predicted": np.asarray(logits).argmax(axis=1).tolist(),
}))
"""


def log(text):
    """A line for whoever reads CI's output."""
    print(f"without tensorflow: {text}", flush=True)


def call(python, *arguments, check=True, **variables):
    """A process of that Python; of the variables that steer Keras it has those given alone."""
    inherited = {n: v for n, v in os.environ.items() if n not in ("KERAS_BACKEND", "PYTHONPATH")}
    command = {"args": [python, *arguments], "env": inherited | variables}
    ended = subprocess.run(**command, capture_output=True, text=True)
    assert not check or ended.returncode == 0, ended.stdout + ended.stderr
    return ended


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment made by `pip install -c constraints.txt '.[train,jax]'`."""
    if there := os.environ.get("PADZOO_JAX_PYTHON"):
        return there
    folder = tmp_path_factory.mktemp("without_tensorflow")
    begun = time.perf_counter()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(CHECKOUT / name, folder)
    shutil.copytree(CHECKOUT / "models", folder / "models")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "-c", "constraints.txt", ".[train,jax]", "pytest"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ended.returncode and "Retrying" in ended.stderr and not os.environ.get("CI"):
        pytest.skip("pip cannot reach a package index")
    assert ended.returncode == 0, ended.stderr
    log(f"pip install '.[train,jax]' took {time.perf_counter() - begun:.0f} s")
    return str(python)


@pytest.fixture
def train(python, tmp_path, monkeypatch, data_dir):
    """`train("seed=1", …)` in the environment and an empty folder; nothing on stderr."""
    monkeypatch.chdir(tmp_path)

    def call_train(*arguments):
        program = str(CHECKOUT / "train.py")
        ended = call(python, program, f"data.data_dir={data_dir}", *arguments)
        assert ended.stderr == ""
        return ended.stdout

    return call_train


def the_run(study="default"):
    (results,) = Path("runs", study).glob("*/seed=*/results.json")
    return results.parent


def check_run(python, run):
    """All that a run leaves is there, is JAX's, and agrees with itself."""
    results = json.loads((run / "results.json").read_text())
    (start,) = json.loads((run / "meta.json").read_text())["starts"]
    assert start["backend"] == "jax"
    assert "tensorflow" not in start["versions"]
    with np.load(run / "predictions.npz", allow_pickle=False) as file:
        predicted, label = file["predicted"], file["label"]
    assert (predicted == label).mean() == results["test_accuracy"]
    said = call(python, "-c", READ_BACK, str(run), PYTHONPATH=str(CHECKOUT), KERAS_BACKEND="jax")
    found = json.loads(said.stdout)
    assert found["predicted"] == predicted.tolist()
    assert found["scalars"]["loss/train"] == list(range(1, results["epochs"] + 1))
    assert found["scalars"]["test/accuracy"] == [results["epochs"]]
    assert found["hparams"]["trainer/backend"] == "jax"
    assert found["status"] == 1  # STATUS_SUCCESS
    log(
        f"{run.parent.name} trained on jax {start['versions']['jax']}, "
        f"test accuracy {100 * results['test_accuracy']:.2f} %; model.keras predicts the same, "
        f"{len(found['scalars'])} scalars and {len(found['hparams'])} HParams in the event file"
    )


def test_tensorflow_is_not_there(python):
    ended = call(python, "-c", "import tensorflow", check=False)
    assert "No module named 'tensorflow'" in ended.stderr
    call(python, "-c", "import jax, keras", KERAS_BACKEND="jax")
    log("import tensorflow: " + ended.stderr.splitlines()[-1])


def test_pictures_train_by_default_and_are_measured_again(python, train):
    train(*TINY, "padding=reflect")
    run = the_run()
    check_run(python, run)
    assert "complete:" in train(*TINY, "padding=reflect")
    said = train(f"evaluate={run}")
    (again,) = run.glob("evaluations/*.json")
    accuracy = json.loads(again.read_text())["test_accuracy"]
    assert accuracy == json.loads((run / "results.json").read_text())["test_accuracy"]
    log(said.splitlines()[1])


def test_sequences_train(python, train, data_dir, tmp_path):
    train(*SEQUENCES, "data=mnist1d", "backend=jax")
    check_run(python, the_run())

    # The same set, said to be stored as tfrecord: nothing of it is read before that.
    shutil.copytree(Path(data_dir, "mnist1d"), tmp_path / "mnist1d")
    (info,) = Path("mnist1d").glob("*/dataset_info.json")
    info.write_text(info.read_text().replace('"array_record"', '"tfrecord"'))
    named = ("data=tfds", "data.name=mnist1d", f"data.data_dir={tmp_path}")
    ended = call(python, str(CHECKOUT / "train.py"), *SEQUENCES, *named, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "python -m data.prepare data=tfds data.name=mnist1d npz=<file>" in ended.stderr
    log(ended.stderr.strip())


def test_ones_own_arrays_train(python, train, tmp_path):
    chance = np.random.default_rng(0)
    arrays = {f"x_{s}": chance.normal(size=(n, 20, 2)) for s, n in (("train", 150), ("test", 50))}
    arrays |= {"y_train": np.arange(150) % 3, "y_test": np.arange(50) % 3}
    np.savez(tmp_path / "my.npz", **arrays)
    own = ("data=npz", "data.path=my.npz", "data.kind=sequence", "data.data_dir=null")
    train(*SEQUENCES, "data.examples=100", *own)
    check_run(python, the_run())


def test_a_killed_run_resumes_to_the_same_bits(python, train, data_dir):
    hard = (*TINY, "model.dropout=0.3", "data.augment.crop=2", "trainer.epochs=12")
    train(*hard, "study=whole")
    program = [python, str(CHECKOUT / "train.py"), f"data.data_dir={data_dir}"]
    with subprocess.Popen([*program, *hard, "study=killed"], stdout=subprocess.DEVNULL) as running:
        while sum(len(p.read_text().split()) for p in Path("runs/killed").rglob("*.csv")) < 4:
            assert running.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    assert not list(Path("runs/killed").rglob("results.json")), "it ended before the kill"
    train(*hard, "study=killed")
    whole, killed = the_run("whole"), the_run("killed")
    assert len(json.loads((killed / "meta.json").read_text())["starts"]) == 2
    with np.load(whole / "predictions.npz") as a, np.load(killed / "predictions.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)
    losses = [column(run, "loss") for run in (whole, killed)]
    assert losses[0] == losses[1]
    log(f"killed and resumed: {len(losses[0])} epochs, bit for bit those of a run left alone")


def column(run, name):
    header, *rows = (line.split(",") for line in (run / "metrics.csv").read_text().splitlines())
    return [row[header.index(name)] for row in rows]


def test_what_needs_tensorflow_says_what_to_do(python, train, data_dir):
    program = str(CHECKOUT / "train.py")
    ended = call(python, program, "backend=tensorflow", f"data.data_dir={data_dir}", check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    command = "pip install -c constraints.txt -e '.[train,tensorflow]'"
    assert f"{command}, or use backend=jax" in ended.stderr
    log(ended.stderr.strip())


def test_bfloat16_trains_or_is_refused_before_anything_is_written(python, tmp_path, data_dir):
    """Refused on a CPU by the versions of JAX that compute garbage in it, and by no other."""
    said = call(python, "-c", "import jax; print(jax.__version__, jax.default_backend())")
    version, platform = said.stdout.split()
    known = (0, 11, 2) <= tuple(map(int, version.split("."))) <= (0, 12, 0, 1)
    refused = known and platform == "cpu"
    program = [str(CHECKOUT / "train.py"), f"data.data_dir={data_dir}", f"runs_dir={tmp_path}/runs"]
    ended = call(python, *program, *TINY, "trainer.precision=mixed_bfloat16", check=False)
    assert ended.returncode == (2 if refused else 0), ended.stderr
    assert (tmp_path / "runs").exists() != refused
    if refused:
        assert ended.stderr.count("\n") == 1
        assert f"trainer.precision=mixed_bfloat16: JAX {version}" in ended.stderr
        call(python, *program, *TINY, "trainer.precision=float32")
        log(ended.stderr.strip())
