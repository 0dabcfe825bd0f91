"""The networks, a file each: `build(nn, input_shape, num_classes, *, options) -> keras.Model`."""
