"""Arguments, questions and errors of the two commands."""

import argparse
import sys
from collections.abc import Callable

from target import Target, UserError, target


def run(description: str, act: Callable[[Target, bool], None]) -> None:
    """Calls `act` with the deployment that the arguments select and whether the user has agreed in advance."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--stage", default="", help="stage of the deployment; empty for the one without a stage")
    parser.add_argument("--yes", default="", help="anything but an empty text agrees in advance")
    parser.add_argument("options", nargs="*", help="options of the CDK")
    arguments = parser.parse_args()
    try:
        act(target(arguments.stage, arguments.options), bool(arguments.yes))
    except UserError as error:
        sys.exit(f"{parser.prog}: {error}")


def agree(lines: list[str], question: str, agreed: bool) -> None:
    """Shows what would happen, and ends the program unless the user agrees."""
    print("\n".join(lines), flush=True)
    if agreed:
        return
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask on: agree with YES=1")
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise UserError("nothing was changed")
