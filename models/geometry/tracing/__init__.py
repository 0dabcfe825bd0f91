"""From a Keras model to the table of its layers: sizes, strides, receptive fields, costs."""
