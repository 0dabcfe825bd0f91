"""TFDS builder of co2: forecast the next week's change of the CO2 in the air at Mauna Loa.

The series is the one that statsmodels ships. As in WaveNet (van den Oord et al. 2016,
arXiv:1609.03499), the network predicts at every step the class of the next value; here the classes
are the quarters of the weekly changes in the training part. The input at the next step is the
quantity whose class is predicted, so a network that looks one step ahead need not forecast.

A week without a measurement repeats the last one, so its change is 0. Interpolation would put part
of the next measured value, which is to be forecast, into the weeks before it.
"""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from numpy.typing import NDArray

from data.builders.digest import content_digest

VERSION = "1.0.0"

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]

# Weeks in a window, and labels at its end: the first label is preceded by more than a year.
STEPS, SCORED = 96, 32
TRAIN_STRIDE = 4  # weeks between the starts of training windows
YEARS = {"train": (1958, 1985), "validation": (1986, 1991), "test": (1992, 2001)}
# Classes of the change to the next week. Measurements have one decimal, so finer classes would be
# of uneven size.
CLASSES = ("to -0.3 ppm", "-0.2 to 0 ppm", "0.1 to 0.3 ppm", "from 0.4 ppm")
SUBSETS = ("window", "stream")  # a run's test accuracy is that of the first
UNSCORED = -1

_DESCRIPTION = f"""
Weekly CO2 in the air at Mauna Loa, 1958 to 2001, in parts per million: sequences of {STEPS} weekly
changes, and for each of the last {SCORED} weeks the class of the change to the next. Training
windows start {TRAIN_STRIDE} weeks apart, the others do not overlap in their scored weeks. The test
split scores the same weeks twice, by `subset`: "window", whole windows; "stream", one window for
each week, which ends there and of which only the last step is scored. The splits are consecutive
years; no week is in two of them.
"""

_CITATION = """
@misc{keeling2004atmospheric,
  author = {Keeling, C. D. and Whorf, T. P.},
  title = {Atmospheric {CO2} concentrations derived from flask air samples at sites in the {SIO}
           network},
  howpublished = {In Trends: A Compendium of Data on Global Change. Carbon Dioxide Information
                  Analysis Center, Oak Ridge National Laboratory},
  year = {2004},
}
"""


def read_series() -> tuple[Ints, NDArray[np.float64]]:
    """(n,) dates as yyyymmdd, seven days apart, and (n,) ppm, NaN where nothing was measured.

    Reads the file that statsmodels ships; the loader of statsmodels would import pandas and much
    else.
    """
    text = resources.files("statsmodels").joinpath("datasets/co2/co2.csv").read_text()
    table = np.genfromtxt(text.splitlines(), delimiter=",", skip_header=1)
    return table[:, 0].astype(np.int64), table[:, 1]


def weekly_changes(ppm: NDArray[np.float64]) -> Ints:
    """(n,) change from the week before, in tenths of a ppm; 0 for the first week."""
    measured = np.where(np.isfinite(ppm), np.arange(len(ppm)), 0)
    tenths = np.rint(10 * ppm[np.maximum.accumulate(measured)]).astype(np.int64)
    return np.diff(tenths, prepend=tenths[0])


def thresholds(changes: Ints) -> NDArray[np.float64]:
    """The highest change of each class but the last: quantiles of the training part's changes."""
    return np.quantile(changes, np.arange(1, len(CLASSES)) / len(CLASSES))


def weeks_of(split: str, dates: Ints) -> Ints:
    """The weeks of a split whose next change is known, as indices into the series."""
    first, last = YEARS[split]
    years = dates // 10_000
    return np.flatnonzero((years >= first) & (years <= last) & (np.arange(len(dates)) > 0))


def cut(changes: Ints, classes: Ints, ends: Ints) -> Columns:
    """The windows that end at the weeks `ends`, (n,); source_id is the week that is forecast."""
    seen = ends[:, None] + np.arange(1 - STEPS, 1)
    forecast = ends[:, None] + np.arange(2 - SCORED, 2)
    return {
        "sequence": (changes[seen] / 10).astype(np.float32)[..., None],
        "label": classes[forecast],
        "source_id": forecast,
        "subset": np.full(len(ends), SUBSETS.index("window")),
    }


def make_splits() -> dict[str, Columns]:
    """The splits: sequence float32 (n, 96, 1), label and source_id (n, 32), subset (n,) int64."""
    dates, ppm = read_series()
    changes = weekly_changes(ppm)
    weeks = {split: weeks_of(split, dates) for split in YEARS}
    classes = np.searchsorted(thresholds(changes[weeks["train"]]), changes)
    # The first and the last week of the split at which a window may end.
    first = {split: part[STEPS - 1] for split, part in weeks.items()}
    last = {split: part[-2] for split, part in weeks.items()}
    train = np.arange(first["train"], last["train"] + 1, TRAIN_STRIDE)
    validation = np.arange(last["validation"], first["validation"] - 1, -SCORED)[::-1]
    # The stream window of the first scored step begins SCORED - 1 weeks before the whole window.
    window = np.arange(last["test"], first["test"] + SCORED - 2, -SCORED)[::-1]
    stream = cut(changes, classes, np.arange(window[0] - SCORED + 1, window[-1] + 1))
    stream["label"][:, :-1] = UNSCORED
    stream["subset"][:] = SUBSETS.index("stream")
    whole = cut(changes, classes, window)
    return {
        "train": cut(changes, classes, train),
        "validation": cut(changes, classes, validation),
        "test": {name: np.concatenate([whole[name], stream[name]]) for name in whole},
    }


class Builder(tfds.core.GeneratorBasedBuilder):
    """Cuts the windows; the content is the same on every call."""

    name = "co2"
    VERSION = tfds.core.Version(VERSION)
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012

    def _info(self) -> tfds.core.DatasetInfo:
        labels = tfds.features.ClassLabel(names=CLASSES)
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            homepage="https://www.statsmodels.org/stable/datasets/generated/co2.html",
            citation=_CITATION,
            license="public domain, as statsmodels documents it",
            features=tfds.features.FeaturesDict(
                {
                    "sequence": tfds.features.Tensor(shape=(STEPS, 1), dtype=np.float32),
                    "label": tfds.features.Sequence(labels, length=SCORED),
                    "source_id": tfds.features.Tensor(shape=(SCORED,), dtype=np.int64),
                    "subset": tfds.features.ClassLabel(names=SUBSETS),
                }
            ),
            supervised_keys=("sequence", "label"),
            metadata=tfds.core.MetadataDict(),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Iterator[tuple[int, dict]]]:
        splits = make_splits()
        self.info.metadata["content"] = content_digest(splits)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(self, columns: Columns) -> Iterator[tuple[int, dict]]:
        for i in range(len(columns["label"])):
            yield i, {name: column[i] for name, column in columns.items()}
