"""The help page of train.py: how to call it, and every choice with its description."""

from __future__ import annotations

import re

import models
from conf.choices import PROBES
from conf.commandline import ROOT, options
from data.tasks import TASKS

GROUPS = {
    "model": "architectures that classify",
    "padding": "paddings",
    "data": "data sets",
    "optimizer": "optimizers",
    "schedule": "learning-rate schedules",
    "trainer": "duration, batch size, precision and the like",
    "experiment": "published protocols",
    "sweep": "studies, with -m",
    "debug": "short runs",
}
IMAGES = "architectures that give an image, for reconstruction, segmentation or super-resolution"
USAGE = """\
padzoo: train a network with a padding, and see how the padding changed the accuracy.

  python train.py padding=same                             train one network
  python train.py model=causal_conv1d padding=causal data=mnist1d seed=3
  python train.py -m padding=same,valid,reflect seed=0,1,2 train every combination
  python train.py -m sweep=demo                            run a study and report it
  python train.py -m sweep=… hydra/launcher=joblib         as many runs at once as there are cores
  python train.py evaluate=<run directory>                 evaluate a finished run again
  python train.py evaluate=<run directory> probes=all      and apply the probes below
  python train.py model=unet data=placed_digits            an image to an image: error by distance
                                                           to the border
  python -m experiments.predict <run directory> a.png      predict classes, masks or pictures
  python -m experiments.geometry model=vgg16 data=cifar10  sizes, receptive fields and findings
  python train.py --cfg job                                show the composed configuration
  tensorboard --logdir runs                                look at the results
"""


def choices(group: str, gives: str | None = None) -> list[str]:
    """One line for each choice of a configuration group, for people.

    Args:
        group: a folder of conf.
        gives: of the models only those that give this, `"logits"` or `"image"`.
    """
    found = options(group)
    width = max(map(len, found), default=0) + 2
    shown = [name for name in found if gives is None or _gives(name) == gives]
    return [f"  {name:<{width}}{found[name]}" for name in shown]


def _gives(choice: str) -> str:
    """What a choice of conf/model gives; logits where its file is broken, which others report."""
    named = re.search(
        r"^name: *(\w+)", (ROOT / "model" / f"{choice}.yaml").read_text(), re.MULTILINE
    )
    try:
        return models.gives(named[1] if named else choice)
    except models.ModelError:
        return "logits"


def help_page() -> str:
    """The text of `--help`: how to call train.py, and every choice with a description."""
    page = [USAGE]
    for group, title in GROUPS.items():
        parts = {"logits": title, "image": IMAGES} if group == "model" else {None: title}
        for gives, said in parts.items():
            if lines := choices(group, gives):
                page += [f"{group}=  ({said})", *lines, ""]
    width = max(map(len, TASKS)) + 2
    page += ["task=  (what is predicted; auto, the default, follows from network and data)"]
    page += [f"  {name:<{width}}{task.label}" for name, task in TASKS.items()]
    page += [""]
    width = max(map(len, PROBES)) + 2
    page += ["probes=  (measurements of a trained network; all, a name, or a list [shift,swap])"]
    page += [*(f"  {name:<{width}}{text}" for name, text in PROBES.items()), ""]
    page += [
        "Any setting that --cfg job shows can be changed: trainer.epochs=3 padding.amount=full",
        'Tab completion in bash: eval "$(python train.py -sc install=bash)" (or zsh, fish)',
        "Hydra's own flags: --hydra-help",
    ]
    return "\n".join(page)
