"""Make the stored runs with a checkout of padzoo: everything in this folder but the texts.

    python make.py <checkout> <folder>      # a checkout of commit 159e793, this folder

Takes some minutes, after make_data.py. What it writes is kept as the version left it, but for what
README.md says.
"""

import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import make_data
import numpy as np

COMMON = (
    "backend=tensorflow",
    "trainer.precision=float32",
    "trainer.jit=false",
    "trainer.progress=false",
    "runs_dir=studies",
    "optimizer.learning_rate=0.05",
    "trainer.batch_size=4",
    "data=npz",
)
IMAGES, SEQUENCES = "data.path=data/images.npz", "data.path=data/sequences.npz"
SMALL = (IMAGES, "model=small_cnn", "model.widths=[2,4]", "model.convs_per_stage=[1,1]")
STORED = (*SMALL, "study=stored", "trainer.epochs=2", "padding=same,reflect,half", "seed=0,1,2")
STOPPED = (
    *(*SMALL, "study=interrupted", "trainer.epochs=5", "padding=random"),
    *("model.dropout=0.3", "data.augment.flip=true", "data.augment.crop=1"),
)
SIGNALS = {0: signal.SIGKILL, 1: signal.SIGINT}  # what ends the run of each seed

# One convolution for each border: {layer: padding}.
BORDERS = {
    "stage1_conv1": "reflect",
    "stage1_conv2": "learned",
    "stage1_conv3": "random",
    "stage1_conv4": "symmetric",
    "stage1_conv5": "replicate",
    "stage1_conv6": "circular",
    "stage1_conv7": "odd_reflect",
    "stage1_conv8": "mean",
    "stage2_conv1": "partial",
    "stage2_conv2": "{mode: constant, value: 0.5}",
    "stage2_conv3": "latitude_longitude",
    "stage2_conv4": "same_lower",
    "stage2_conv5": "even_split",
    "stage2_conv6": "full",
    "stage2_conv7": "half",
}
CAUSAL = (SEQUENCES, "model=causal_conv1d", "model.channels=4")
INCEPTION = (IMAGES, "model=inception", "model.modules=[3a]", "model.width=0.05")
NETWORKS = {
    "causal": (*CAUSAL, "model.levels=2", "padding=causal"),
    "weight_norm": (
        *(*CAUSAL, "model.levels=1", "padding=valid"),
        *("model.weight_norm=true", "model.head=last"),
    ),
    "sequence_input": (*CAUSAL, "model.levels=1", "padding=input"),
    "borders": (
        *(IMAGES, "model=small_cnn", "model.widths=[3,3]", "model.convs_per_stage=[8,8]"),
        *("model.kernel_size=4", "padding=same"),
        f"padding.overrides={{{', '.join(f'{k}: {v}' for k, v in BORDERS.items())}}}",
    ),
    "image_input": (*SMALL, "padding=input"),
    "inception": (*INCEPTION, "data.resize=16", "padding=valid"),
    "googlenet": (
        *(*INCEPTION, "data.resize=32", "padding=same"),
        *("model.stem=googlenet", "model.batch_norm=false"),
    ),
}
DROPPED = ("events.out.tfevents.*", "*.png", ".lock", ".*.part", "timings.csv", "curves.csv")


def main(checkout: Path, folder: Path) -> None:
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(make_data.HERE / "data", work / "data")
    train = (sys.executable, str(checkout / "train.py"))

    def run(*arguments: str) -> None:
        subprocess.run([*train, *COMMON, *arguments], cwd=work, check=True)

    run("-m", *STORED)
    for seed, number in SIGNALS.items():
        stop([*train, *COMMON, *STOPPED, f"seed={seed}"], work, number)
        run(*STOPPED, f"seed={seed}", "runs_dir=whole")
    for name, arguments in NETWORKS.items():
        run(*arguments, f"study={name}", "trainer.epochs=1", "runs_dir=networks")
    subprocess.run([sys.executable, __file__, "layers", str(checkout)], cwd=work, check=True)
    collect(work, folder)
    subprocess.run([sys.executable, __file__, "predict", str(checkout)], cwd=folder, check=True)
    shutil.rmtree(work)


def stop(command: list[str], work: Path, number: int) -> None:
    """Send a signal to a run as soon as it has recorded an epoch."""
    process = subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL)
    seed = command[-1]
    while not list(work.glob(f"studies/interrupted/*/{seed}/metrics.csv")):
        assert process.poll() is None, "the run ended before it could be stopped"
        time.sleep(0.001)
    process.send_signal(number)
    print(seed, "ended with", process.wait())


def collect(work: Path, folder: Path) -> None:
    """Keep what is small and tells no time."""
    (folder / "expected").mkdir(exist_ok=True)
    report = work / "studies" / "stored" / "report"
    for name in ("differences.csv", "runs.csv"):
        shutil.copy(report / name, folder / "expected" / name)
    for seed in SIGNALS:
        (metrics,) = work.glob(f"whole/*/*/seed={seed}/metrics.csv")
        shutil.copy(metrics, folder / "expected" / f"uninterrupted-seed={seed}.csv")
    shutil.rmtree(folder / "studies", ignore_errors=True)
    ignored = shutil.ignore_patterns(*DROPPED, "report", "_summary")
    shutil.copytree(work / "studies", folder / "studies", ignore=ignored)
    for path in folder.glob("studies/stored/*/seed=*/model.keras"):
        if path.parent.name != "seed=0":
            pack(path, path)
    (folder / "networks").mkdir(exist_ok=True)
    for path in [*work.glob("networks/*/*/seed=0/model.keras"), *work.glob("layers/*.keras")]:
        name = path.stem if path.parent.name == "layers" else path.parents[2].name
        pack(path, folder / "networks" / f"{name}.keras")


def pack(source: Path, target: Path) -> None:
    """The same members in a compressed archive: they hold little but zeros."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def start(checkout: str) -> None:
    """Keras with the zoo's layers, as the README of the version says."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    sys.path.insert(0, checkout)
    import keras

    importlib.import_module("models.layers")
    keras.utils.set_random_seed(0)


def layers(checkout: str) -> None:
    """Two networks by hand, of the layers that no architecture of the zoo has."""
    start(checkout)
    import keras

    zoo = importlib.import_module("models.layers")
    padding = importlib.import_module("models.padding").Padding
    x = inputs = keras.Input((9, 8, 2), name="image")
    x = zoo.DepthwiseConv2D(3, padding=padding("same", "reflect"), name="depthwise")(x)
    x = zoo.SeparableConv2D(3, 3, padding=padding("half", "circular"), name="separable")(x)
    x = zoo.Conv2DTranspose(3, 3, 2, padding=padding("same"), name="transposed")(x)
    x = zoo.MaxPooling2D(3, 2, padding=padding("same", "reflect"), name="maximum")(x)
    x = zoo.AveragePooling2D(
        *(3, 1), padding=padding("same", "replicate"), count_include_pad=True, name="average"
    )(x)
    x = zoo.MaxPooling2D(2, padding="same", name="plain_maximum")(x)
    x = zoo.Conv2D(2, 3, padding="same", name="plain")(x)
    image = keras.Model(inputs, keras.layers.Flatten(name="flat")(x), name="image_layers")

    x = inputs = keras.Input((12, 2), name="sequence")
    x = zoo.Conv1D(3, 3, padding="causal", dilation_rate=2, name="plain")(x)
    x = zoo.Conv1DTranspose(3, 3, 2, padding=padding("same"), name="transposed")(x)
    x = zoo.MaxPooling1D(3, 2, padding=padding("same", "symmetric"), name="maximum")(x)
    x = zoo.AveragePooling1D(
        *(3, 1), padding=padding("causal", "replicate"), count_include_pad=True, name="average"
    )(x)
    x = zoo.WeightNormConv1D(2, 3, padding=padding("full", "constant", 0.5), name="normed")(x)
    sequence = keras.Model(inputs, keras.layers.Flatten(name="flat")(x), name="sequence_layers")

    Path("layers").mkdir()
    for model in (image, sequence):
        model.save(f"layers/{model.name}.keras")


def predict(checkout: str) -> None:
    """What every stored network says to three examples: arrays x and y beside its file."""
    start(checkout)
    import keras

    for path in sorted(Path("networks").glob("*.keras")):
        model = keras.saving.load_model(path, compile=False)
        shape = (3, *model.input_shape[1:])
        x = (np.random.default_rng(0).integers(-8, 9, shape) / 4).astype(np.float16)
        y = model.predict(x.astype(np.float32), verbose=0)
        np.savez_compressed(path.with_suffix(".npz"), x=x, y=y)
        print(f"{path.stem}: {len(model.layers)} layers, outputs of sd {y.std():.3g}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["layers", checkout]:
            layers(checkout)
        case ["predict", checkout]:
            predict(checkout)
        case [checkout, folder]:
            main(Path(checkout).resolve(), Path(folder).resolve())
        case _:
            sys.exit(__doc__)
