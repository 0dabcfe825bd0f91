"""One run: its start, its data and network, the training loop, the evaluation and the record."""
