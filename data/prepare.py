"""The command `python -m data.prepare`; `experiments.run.prepare_data` is what it runs.

It takes the overrides of train.py and so stands above this folder: it is called by its name.
"""

import runpy

if __name__ == "__main__":
    runpy.run_module("experiments.run.prepare_data", run_name="__main__")
