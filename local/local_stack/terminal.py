"""The only way out to the terminal: logs and errors quote names and answers of anyone, and a terminal obeys what they hold."""

import sys
import unicodedata

# Joiners are text: several scripts and emojis need them.
JOINERS = "\u200c\u200d"
REPLACEMENT = "\ufffd"


def is_hidden(character: str) -> bool:
    """Returns True for a character that is not shown, or that changes how others are shown: control characters, marks of
    direction, separators of lines, spaces without width."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in JOINERS


def printable(text: str, max_length: int = 20_000) -> str:
    """Returns a text of several lines with visible characters in place of hidden ones, and the number of those cut."""
    lines = text[:max_length].replace("\r\n", "\n").expandtabs(4)
    shown = "".join(REPLACEMENT if is_hidden(c) and c != "\n" else c for c in lines)
    cut = len(text) - max_length
    return shown if cut <= 0 else f"{shown}… ({cut} more characters)"


def say(text: str) -> None:
    print(printable(text), flush=True)  # noqa: T201


def fail(text: str) -> None:
    """Ends the program with this message."""
    sys.exit(printable(text))
