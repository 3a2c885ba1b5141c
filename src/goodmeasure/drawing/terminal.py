"""Texts that come from a table, on their way to a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text without characters that would steer the terminal: whoever writes a table must not write on the screen."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
