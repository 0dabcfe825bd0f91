"""One epoch of training: the order of the examples, and their augmentation."""
