"""The training loop: batches, optimizer, epochs, checkpoints, progress."""
