"""What was learned: runs and their records, TensorBoard, measurements, benchmarks."""
