"""The same networks and paddings in PyTorch, to compare with."""
