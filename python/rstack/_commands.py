"""`python -m rstack`: what it takes and says."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from ._names import Only

RUN = """\
Opens the source, pins it to the release that is current, and runs the program as `python` would: its modules come from
that release, also in its child processes, until it calls `rstack.advance()` (with --at it stays)."""

ENABLE = """\
From then on every process of this interpreter imports what RSTACK_SOURCE names, when that is set, by a `.pth` file. It
does nothing under -I or -E, with setuid rights, or in sub-interpreters."""


def main() -> None:
    """Never returns to code that runs as `__main__`, which a program may have taken over."""
    arguments = _parser().parse_args()
    if arguments.command == "run":
        _run(arguments)
    elif arguments.command == "enable":
        _enable()
    else:
        _disable()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rstack", description="Import Python modules from a source.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        allow_abbrev=False,
        help="run a program that imports from a source",
        description=RUN,
        usage="python -m rstack run [--source SOURCE] [--at RELEASE|TIME] [--only NAMES] [--materialise] "
        "[--] (SCRIPT | - | -m MODULE) [ARGUMENT ...]",
    )
    run.add_argument("--source", metavar="SOURCE", help="what to import from [default: RSTACK_SOURCE]")
    run.add_argument("--at", metavar="RELEASE|TIME", help="the release with this id, or current at this time")
    run.add_argument("--only", metavar="NAMES", type=_names, help="names that come from the source even where installed")
    run.add_argument("--materialise", action="store_true", help="give modules real files")
    rest = argparse.REMAINDER
    run.add_argument("-m", dest="module", metavar="MODULE", nargs=rest, help="a module, as for `python -m`")
    run.add_argument(
        "script", metavar="SCRIPT", nargs=rest, help="a script, a folder, a zip file, or `-` for stdin, as for `python`"
    )

    commands.add_parser("enable", help="switch RSTACK_SOURCE on for this interpreter", description=ENABLE)
    commands.add_parser("disable", help="undo `enable`")
    return parser


def _names(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    try:
        return list(Only(names).names)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}: expected such as `foo` or `foo.bar`") from None


def _run(arguments: argparse.Namespace) -> None:
    import rstack
    from rstack import _run as run

    is_module, program = _program(arguments)
    if not program:
        _fail("which program? none is given", "name a script, or a module after `-m`", 2)
    try:
        # Without the option, what the environment says holds.
        rstack.install(arguments.source, at=arguments.at, only=arguments.only or (), materialise=arguments.materialise)
    except rstack.Error as error:
        # Its text has the hint.
        _fail(str(error), None, getattr(error, "exit_code", 1))
    except ValueError as error:
        _fail(f"RSTACK_ONLY: {error}", "list names such as `foo` or `foo.bar`, with commas", 2)
    if is_module:
        run.module(program[0], program[1:])
    else:
        run.script(program[0], program[1:])


def _program(arguments: argparse.Namespace) -> tuple[bool, list[str]]:
    """Whether it is a module; and its name with its arguments."""
    words: list[str] = arguments.script
    if arguments.module is not None:
        # To argparse, what follows `--` is no option's any more.
        return True, arguments.module + words
    if words[:1] != ["--"]:
        return False, words
    # As after `rstack run --`, but that what follows is for `python`.
    return (True, words[2:]) if words[1:2] == ["-m"] else (False, words[1:])


def _enable() -> None:
    from rstack import _enable as enable

    try:
        file = enable.enable()
    except OSError as error:
        _fail(f"this interpreter cannot be changed: {error}", enable.hint(), 1)
    print(f"{file}: every process of {sys.executable} imports what RSTACK_SOURCE names")


def _disable() -> None:
    from rstack import _enable as enable

    try:
        file = enable.disable()
    except OSError as error:
        _fail(f"this interpreter cannot be changed: {error}", enable.hint(), 1)
    print(f"{file} is gone" if file else "it was not enabled")


def _fail(message: str, hint: str | None, code: int) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    if hint:
        sys.stderr.write(f"hint: {hint}\n")
    raise SystemExit(code)
