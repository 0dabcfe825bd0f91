"""The command `python -m data.prepare`, which runs `experiments.run.prepare_data`.

The code is there because it reads the overrides of train.py, which this folder does not know.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("experiments.run.prepare_data", run_name="__main__")
