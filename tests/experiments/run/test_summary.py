"""What a person reads of a run: the line of map sizes."""

import keras
import pytest

from experiments.run.summary import sizes
from models.geometry.tracing.trace import trace


def rows_of(model):
    return [row.to_dict() for row in trace(model)]


def conv(filters, size, strides=1, padding="valid"):
    return keras.layers.Conv2D(filters, size, strides, padding)


def test_map_sizes_leave_out_repeats():
    layers = [conv(2, 1), conv(2, 3), keras.layers.ReLU(), keras.layers.MaxPooling2D(2)]
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, keras.layers.Flatten()])
    assert sizes(rows_of(model)) == "8×8 → 6×6 → 3×3"


def test_of_branches_the_main_path_is_shown():
    x = inputs = keras.Input((12, 10, 1))
    x = conv(2, 3)(x)
    wide = keras.layers.Cropping2D(1)(conv(2, 1)(x))
    x = keras.layers.Add()([wide, conv(2, 3)(x)])
    model = keras.Model(inputs, conv(2, 2, 2)(x))
    assert sizes(rows_of(model)) == "12×10 → 10×8 → 8×6 → 4×3"


def test_rows_of_older_runs_say_no_inputs_and_all_are_shown():
    model = keras.Sequential([keras.Input((8, 1)), keras.layers.Conv1D(2, 3)])
    rows = rows_of(model)
    for row in rows:
        del row["inputs"]
    assert sizes(rows) == "8 → 6"


def test_a_network_without_a_trace_has_no_sizes():
    assert sizes([]) == ""


@pytest.mark.parametrize("engine", ["fit", "scan"])
def test_the_line_before_the_training_names_the_engine(program, engine):
    small = ("model.widths=[4,4]", "model.convs_per_stage=[1,1]", "data.examples=48")
    outcome = program(*small, "trainer.epochs=1", f"trainer.engine={engine}", "backend=tensorflow")
    assert outcome.code == 0
    assert outcome.out.splitlines()[0].endswith(f", engine {engine}")
