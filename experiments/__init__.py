"""Experiments: runs and their records, studies, reports, probes and benchmarks."""

import conf  # noqa: F401  makes commands name a missing package
