"""What every architecture owes, as checks that say what to write where."""

import contextlib
import functools
from pathlib import Path

import keras
import numpy as np

import models
from conf import commandline
from models import ModelError, registry
from models.geometry.tracing.trace import final_map_size, trace
from models.padding import NAMED
from models.padding.modes import plane_of
from models.padding.supports import LAYERS, supports
from tests.contract.faults import fault

CHANNELS, CLASSES, EXAMPLES, LARGEST = 2, 3, 4, 512


def check_the_file(name):
    """The architecture's own file: KIND, GIVES, TINY, and a `build` with typed options."""
    try:
        models.kind(name), models.gives(name)
        registry.option_types(name)
        registry.check_options(name, registry.tiny(name))
    except ModelError as error:
        raise fault(str(error)) from None


def check_the_yaml(name):
    """At least one file of conf/model chooses it, with a line of help and every option."""
    files = {file: _read(file) for file in sorted((commandline.ROOT / "model").glob("*.yaml"))}
    mine = [file for file, values in files.items() if values.get("name") == name]
    allowed = models.options(name)
    if not mine:
        listed = "".join(f"\n  {option}: {_yaml(value)}" for option, value in allowed.items())
        raise fault(
            f"no file of conf/model chooses {name}: write conf/model/{name}.yaml:\n"
            f"  # what it is, in one line: the help page shows it\n  name: {name}{listed}"
        )
    for file in mine:
        where = f"conf/model/{file.name}"
        check_the_help(file, where)
        given = {option: value for option, value in files[file].items() if option != "name"}
        try:
            registry.check_options(name, given)
        except ModelError as error:
            raise fault(f"{where}: {error}") from None
        for option in allowed:
            if option not in given:
                raise fault(
                    f"{where} lacks the option `{option}` of build in models/architectures/"
                    f"{name}.py, which then cannot be set: add {option}: {_yaml(allowed[option])}"
                )


def check_the_help(file, where):
    """A choice's file begins with a comment, which `--help` shows."""
    if not commandline.help_of(file):
        raise fault(f"{where} must begin with a line `# what it is`: the help page shows it")


def fits(name, padding):
    """Why a padding does not suit an architecture, as `supports` says; None if it does."""
    border, rank = NAMED[padding], registry.SPATIAL_RANK[models.kind(name)]
    layer = f"PadInput{rank}D" if border.amount == "input" else f"Conv{rank}D"
    return supports(border.amount, border.mode, layer)


def built(name, padding, **changes):
    """The tiny form, or None where it refuses a padding with the reason of a layer that it has."""
    border, why = NAMED[padding], fits(name, padding)
    try:
        model = tiny(name, padding, **changes)
    except ModelError as refusal:
        kinds = {type(layer).__name__ for layer in tiny(name, **changes).layers} & set(LAYERS)
        reasons = [why, *(supports(border.amount, border.mode, kind) for kind in sorted(kinds))]
        if "\n" in str(refusal) or not any(r in str(refusal) for r in reasons if r):
            raise fault(f"{name} under padding={padding}: {refusal}") from None
        return None
    if why:
        raise fault(f"{name} takes padding={padding}, though {why}")
    return model


@functools.cache
def shape(name):
    """The smallest input that the tiny form survives without padding; an image's sides differ."""
    rank = registry.SPATIAL_RANK[models.kind(name)]
    given = {"num_classes": CLASSES, **registry.tiny(name)}
    with contextlib.suppress(models.DoesNotFitError):  # any other fault is told at a good size
        models.build(name, input_shape=(64,) * rank + (CHANNELS,), **given)
    size = models.smallest_input(name, input_channels=CHANNELS, largest=LARGEST, **given)
    if size is None:
        raise fault(
            f"models/architectures/{name}.py: no input of up to {LARGEST} pixels survives "
            "padding=valid with the options of TINY: choose smaller ones"
        )
    return (size, size + 1)[:rank] + (CHANNELS,)


def shape_under(name, padding):
    """That shape, or under a padding that takes some sizes only the next wider that it takes."""
    modes = NAMED[padding].mode_names if isinstance(padding, str) else ()
    if not plane_of(modes) or fits(name, padding):
        return shape(name)
    height, width, channels = shape(name)
    given = {"num_classes": CLASSES, "padding": padding, **registry.tiny(name)}
    for more in range(LARGEST):
        wider = (height, width + more, channels)
        with contextlib.suppress(models.DoesNotFitError):
            models.build(name, input_shape=wider, **given)
            return wider
    raise fault(f"models/architectures/{name}.py: padding={padding} takes it at no width")


def tiny(name, padding="same", seed=0, **changes):
    """The tiny form, its weights drawn from the seed."""
    sizes = shape_under(name, padding) if isinstance(padding, str) else shape(name)
    given = {"input_shape": sizes, "num_classes": CLASSES, **registry.tiny(name), **changes}
    keras.utils.set_random_seed(seed)
    return models.build(name, padding=padding, **given)


def examples(model, seed=0):
    x = np.random.default_rng(seed).normal(size=(EXAMPLES, *model.input_shape[1:]))
    return x.astype("float32"), np.arange(EXAMPLES, dtype="int32") % CLASSES


@functools.cache
def initial(name):
    """The initial weights under `same`, by path."""
    return {weight.path: np.array(weight) for weight in tiny(name).weights}


def check_what_it_gives(name, model):
    """A model of the architecture's name, from its data to float32 logits or a float32 image."""
    where = f"models/architectures/{name}.py"
    if model.name != name:
        raise fault(f"{where}: the model is called {model.name!r}: keras.Model(…, name={name!r})")
    logits = model(examples(model)[0])
    sizes = final_map_size(trace(model)) if models.gives(name) == "image" else ()
    wanted = (EXAMPLES, *sizes, CLASSES)
    if logits.shape != wanted:
        raise fault(f"{where}: outputs of shape {tuple(logits.shape)}, not {wanted}")
    if keras.backend.standardize_dtype(logits.dtype) != "float32":
        raise fault(f"{where}: logits of {logits.dtype}: the last layer takes dtype='float32'")
    if np.allclose(np.asarray(logits).sum(-1), 1.0):
        raise fault(
            f"{where}: outputs that sum to 1: logits have no softmax, which the loss applies"
        )


def check_initial_weights(name, padding, model):
    """One seed gives the same weights under every padding; a learned border begins at 0."""
    weights = {weight.path: np.array(weight) for weight in model.weights}
    borders = {path: value for path, value in weights.items() if path.endswith("/border")}
    for path, value in initial(name).items():
        if path not in weights or not np.array_equal(weights.pop(path), value):
            raise fault(
                f"models/architectures/{name}.py: under padding={padding} the initial weights of "
                f"{path} are not those under padding=same: layers must be made in one order, "
                "with weights whose shape does not depend on the map's size"
            )
    if any(value.any() for value in borders.values()):
        raise fault(f"padding={padding}: a border that does not begin at 0: {sorted(borders)}")
    if more := [p for p in weights if p not in borders and not p.endswith("generator_state")]:
        raise fault(f"padding={padding}: weights that padding=same does not have: {more}")


def check_a_step(name, model):
    """Every weight has a gradient, and a step along it changes weights."""
    x, y = examples(model)
    if models.gives(name) == "image":
        y = np.random.default_rng(1).normal(size=(EXAMPLES, *model.output_shape[1:]))
    before = [np.array(weight) for weight in model.trainable_variables]
    loss, gradients = _gradients(model, x, y)
    missing = [
        weight.path
        for weight, gradient in zip(model.trainable_variables, gradients, strict=True)
        if gradient is None or not np.asarray(gradient).any()
    ]
    if missing:
        raise fault(f"models/architectures/{name}.py: no gradient reaches {', '.join(missing)}")
    if not np.isfinite(loss) or not all(np.isfinite(np.asarray(g)).all() for g in gradients):
        raise fault(f"models/architectures/{name}.py: the loss or a gradient is not finite")
    keras.optimizers.SGD(0.1).apply(gradients, model.trainable_variables)
    after = map(np.array, model.trainable_variables)
    if all(np.array_equal(a, b) for a, b in zip(before, after, strict=True)):
        raise fault(f"models/architectures/{name}.py: a training step changes no weight")


def check_saving(name, model, folder: Path):
    """A saved model loads without the builder, and gives the same outputs to the bit."""
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras", safe_mode=True)
    x, _ = examples(model)
    if not np.array_equal(loaded(x), model(x)):
        raise fault(
            f"models/architectures/{name}.py: a saved model gives other outputs when loaded"
        )


def _gradients(model, x, y):
    """The loss, by the labels or by the image, and its gradient by every trainable weight."""
    of_labels = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    measure = of_labels if y.ndim == 1 else keras.losses.MeanSquaredError()
    variables = model.trainable_variables
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = measure(y, model(x, training=True))
        return float(loss), tape.gradient(loss, [variable.value for variable in variables])
    import jax

    def total(weights):
        state = [variable.value for variable in model.non_trainable_variables]
        logits, _ = model.stateless_call(weights, state, x, training=True)
        return measure(y, logits)

    loss, gradients = jax.value_and_grad(total)([variable.value for variable in variables])
    return float(loss), gradients


def _read(file):
    from omegaconf import OmegaConf

    return dict(OmegaConf.to_container(OmegaConf.load(file)) or {})


def _yaml(value):
    plain = {None: "null", True: "true", False: "false"}
    if isinstance(value, (list, tuple)):
        return list(value)
    return plain.get(value, value) if value is None or isinstance(value, bool) else value
