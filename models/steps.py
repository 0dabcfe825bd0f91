"""A class at every step of a sequence: which outputs are scored, the same under every padding."""

from __future__ import annotations

import keras


def scored(model: keras.Model, scored_steps: int | None) -> keras.Model:
    """Leave a model's outputs for the steps that the data labels.

    The last output is that of the last step: what `valid` takes from a sequence is missing at its
    start.

    Args:
        model: from (batch, steps, channels) to logits (batch, num_classes), or one output a step,
            (batch, steps or fewer, num_classes).
        scored_steps: how many steps at the end have a label; None where a whole example has one.

    Returns:
        The model itself for None, else one to logits (batch, scored_steps, num_classes).

    Raises:
        ValueError: if the model tells no class a step where the data has one, or the other way
            round, or fewer steps than are scored.
    """
    outputs = model.output_shape[1:-1]
    if scored_steps is None:
        if outputs:
            raise ValueError(
                f"{model.name} tells a class at every step (head='steps'), and the data has one "
                "class an example: model.head=average or model.head=last."
            )
        return model
    if not outputs:
        raise ValueError(
            f"{model.name} tells one class an example, and the data has one for each of the last "
            f"{scored_steps} steps of a sequence: model=causal_conv1d model.head=steps."
        )
    (steps,), taken = outputs, model.input_shape[1]
    if None in (steps, taken) or not scored_steps <= steps <= taken:
        raise ValueError(
            f"{model.name} tells a class at {steps} of {taken} steps under this padding, and the "
            f"last {scored_steps} are scored: a smaller receptive field leaves more (fewer "
            "model.levels, a smaller model.kernel_size)."
        )
    crop = keras.layers.Cropping1D((steps - scored_steps, 0), dtype="float32", name="scored")
    return keras.Model(model.input, crop(model.output), name=model.name)
