"""What can be known about a network before it is trained: a table, findings, a picture.

    python -m experiments.geometry model=vgg16 padding=valid data=cifar10
    python -m experiments.geometry --keras ResNet50 --input 224
    python -m experiments.geometry --file my.keras --input 224x320
    python -m experiments.geometry model=unet data=placed_digits --input 1024 --tiles 256
    python -m experiments.geometry --explain conv --input 5 --kernel 3 --stride 2 --pad 1

The first takes the settings of train.py; the data need not be prepared. The second is a network
of keras.applications, untrained. The third is loaded in safe mode. The fourth says by how much the
tiles of a large image must overlap. The last explains the arithmetic of one layer: conv, pool or
transposed. docs/geometry.md explains the output.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from conf.reader import ConfigError
from experiments import terminal
from experiments.terminal import BAD, OK

NUMBERS = ("kernel", "stride", "pad", "dilation", "output_padding")
VALUES = {"x": "the input", "w": "the kernel"}


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit code."""
    if not arguments:
        arguments = ["--help"]
    try:
        options = _parser().parse_intermixed_args(arguments)
        if options.explain:
            return _explain(options)
        return _describe(options)
    except _mistakes() as mistake:
        terminal.complain(terminal.plain(mistake))
        return BAD


def _mistakes() -> tuple[type[Exception], ...]:
    """The errors that give one line; modules that are not imported have raised none."""
    import data
    import models
    from models.padding import PaddingError

    loaded: list[type[Exception]] = [ConfigError, data.DataError, models.ModelError, PaddingError]
    for module, name in (
        ("models.geometry.tracing.graph", "TraceError"),
        ("models.geometry.tiling.tiled_network", "TileError"),
        ("models.geometry.explaining.relationships", "ExplainError"),
    ):
        if module in sys.modules:
            loaded.append(getattr(sys.modules[module], name))
    return tuple(loaded)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; --help lists what there is")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        "python -m experiments.geometry",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "settings", nargs="*", help="settings as for train.py: model=… padding=… data=…"
    )
    parser.add_argument("--keras", metavar="NAME", help="a network of keras.applications")
    parser.add_argument("--file", type=Path, help="a .keras file")
    parser.add_argument(
        "--input",
        metavar="SIZE",
        help="size of the input in pixels, 224 or 224x320, or in steps of a sequence",
    )
    parser.add_argument(
        "--tiles",
        metavar="SIZE",
        help="say by how much tiles of that many pixels, 256 or 256x512, must overlap in an image "
        "of the --input",
    )
    parser.add_argument("--all", action="store_true", help="also show layers that have no window")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="PNG",
        help="file of the picture; by default runs/geometry/<name>.png, with --json none",
    )
    parser.add_argument("--explain", metavar="KIND", help="conv, pool or transposed")
    for name in NUMBERS:
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, help=f"with --explain: {name}")
    for name, what in VALUES.items():
        text = f"with --explain: the numbers of {what}, as in --{name} 3,4,1"
        parser.add_argument(f"--{name}", metavar="NUMBERS", help=text)
    return parser


def _explain(options: argparse.Namespace) -> int:
    from models.geometry.explaining.explain import explain

    if options.keras or options.file or options.settings or options.tiles:
        raise ConfigError("--explain is about one layer and cannot be combined with a network")
    given = {name: getattr(options, name) for name in NUMBERS}
    for name in VALUES:
        text = getattr(options, name)
        given[name] = None if text is None else read_numbers(name, text)
    if options.input is not None:
        sizes = read_sizes(options.input)
        if len(sizes) > 1:
            raise ConfigError(f"--explain uses one axis: --input 5; got {options.input}")
        given["input"] = sizes[0]
    print(explain(options.explain, **{n: value for n, value in given.items() if value is not None}))
    return OK


def _describe(options: argparse.Namespace) -> int:
    for name in (*NUMBERS, *VALUES):
        if getattr(options, name) is not None:
            raise ConfigError(f"--{name.replace('_', '-')} needs --explain")
    if sum(map(bool, (options.keras, options.file, options.settings))) != 1:
        raise ConfigError("name one network: settings of train.py, --keras NAME, or --file PATH")
    from experiments.geometry import networks

    sizes = read_sizes(options.input) if options.input is not None else None
    tile = read_sizes(options.tiles, "--tiles") if options.tiles is not None else None
    with terminal.busy("building the network"):
        network = networks.build(options.settings, options.keras, options.file, sizes)
    from experiments.geometry import geometry_picture, geometry_table, tiles_table
    from models.geometry.findings.lint import lint
    from models.geometry.reach.usage import usage
    from models.geometry.tracing.trace import TraceError, trace

    rows, used, findings = trace(network.model), usage(network.model), lint(network.model)
    tiling = tiles_table.tiling(network.model, tile) if tile else None
    if options.settings:
        findings = [replace(one, remedy=terminal.in_overrides(one.remedy)) for one in findings]
    if options.json:
        content = geometry_table.as_json(network.name, rows, used, findings)
        if tiling:
            content["tiles"] = tiles_table.as_json(tiling)
        print(json.dumps(content, indent=1, ensure_ascii=False))
    else:
        geometry_table.show(network.name, rows, used, findings, everything=options.all)
        if tiling:
            tiles_table.show(tiling)
    if options.picture or not options.json:
        path = options.picture or Path("runs", "geometry", f"{network.file_name}.png")
        try:
            geometry_picture.write(path, network.name, network.model, rows)
        except TraceError as reason:
            if options.picture:
                raise
            terminal.say(f"{'picture':<14} none: {reason}")
            return OK
        if not options.json:
            terminal.say(f"{'picture':<14} {path}")
    return OK


def read_sizes(text: str, option: str = "--input") -> tuple[int, ...]:
    """224 -> (224,), 224x320 -> (224, 320).

    Raises:
        ConfigError: for anything else.
    """
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isdecimal() and int(part) > 0 for part in parts) or len(parts) > 2:
        raise ConfigError(f"{option} takes pixels, 224 or 224x320 (height x width); got {text!r}")
    return tuple(map(int, parts))


def read_numbers(name: str, text: str) -> tuple[int, ...]:
    """3,4,-1 -> (3, 4, -1).

    Raises:
        ConfigError: for anything else.
    """
    try:
        return tuple(map(int, text.split(",")))
    except ValueError:
        raise ConfigError(
            f"--{name} takes whole numbers with commas between them, 3,4,1; got {text!r}"
        ) from None


if __name__ == "__main__":
    sys.exit(terminal.call(main))
