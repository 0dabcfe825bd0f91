"""`python -m experiments.report`: see `experiments.report.writing`."""

import sys

from experiments import terminal
from experiments.report.writing import main

sys.exit(terminal.call(main))
