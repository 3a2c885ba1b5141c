"""Texts that come from a table, on their way to a terminal."""

from __future__ import annotations

import json
import shlex
from typing import Any


def printable(text: str) -> str:
    """The text without characters that would steer the terminal: whoever writes a table must not write on the screen."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def json_text(plain: Any) -> str:
    """Plain values as JSON; letters that would steer the terminal stand there as escapes."""
    text = json.dumps(plain, allow_nan=False, indent=1, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def word(text: str) -> str:
    """A text as a shell reads it as one word, without characters that would steer the terminal.

    Args:
        text: any text, such as the name of a file or a column.

    Returns:
        What to print as a part of a command that can be typed.

    Example:
        >>> from goodmeasure.drawing.terminal import word
        >>> print(word("two words"), word("two\\nlines"))
        'two words' $'two\\x0alines'
    """
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(letter: str) -> str:
    """A character between $' and '."""
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    # A byte of a file name that is not UTF-8 stands in a text as one of these.
    data = bytes([ord(letter) - 0xDC00]) if "\ud800" <= letter <= "\udfff" else letter.encode()
    return "".join(f"\\x{byte:02x}" for byte in data)
