"""The same networks and paddings in PyTorch, for comparison."""
