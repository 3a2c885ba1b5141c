"""Formulas on a page as MathML, which browsers draw by themselves: no script, and no fonts to fetch."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

_BLOCK = re.compile(r"^```math\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def drawn(page: str) -> str:
    """A page with its blocks of mathematics drawn."""
    return _BLOCK.sub(lambda found: f'<div class="formula">{convert(found[1], display="block")}</div>', page)
