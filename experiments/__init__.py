"""What was learned: runs and their records, TensorBoard, measurements, benchmarks."""

import conf  # noqa: F401  tells which package is missing, as those that a command imports
