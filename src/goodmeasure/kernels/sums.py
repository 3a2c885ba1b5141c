"""How kernels add up values: without rounding within a chunk, and with every rounding error kept between chunks.

The values of a chunk are scaled by a power of two, so that the largest is about one. Adding a constant then rounds each to whole
multiples of 2**-49, which stand in the low bits of the sum; what is left over is taken in multiples of 2**-99 in the same way.
Both are whole numbers, whose sums do not round and do not depend on the order, so the compiler may use all lanes
(after Rump, Ogita and Oishi 2008, Accurate floating-point summation I, with whole numbers in place of its faithful parts).
"""

from __future__ import annotations

# What a kernel notes: the sum so far and what rounding it left out, whether a target was outside the domain, and whether a
# result was NaN.
HIGH, LOW, BAD, LOST, STATE = range(5)

BEFORE = f"high, low = state[{HIGH}], state[{LOW}]"
AFTER = f"state[{HIGH}], state[{LOW}] = high, low"

CONSTANTS = {
    "COARSE": "np.float64(1.5 * 2.0**3)",
    "FINE": "np.float64(1.5 * 2.0**-47)",
    "COARSE_BITS": "np.float64(1.5 * 2.0**3).view(np.int64)",
    "FINE_BITS": "np.float64(1.5 * 2.0**-47).view(np.int64)",
}
# Of a dtype: its bits as whole numbers, those without the sign, the bits of infinity, where the exponent stands, and the
# exponent, as double precision writes it, of the power of two that brings a largest value of this exponent to about one.
BITS_OF = {
    "float32": ("np.int32", 0x7FFFFFFF, 0x7F800000, 23, "1023 + 127 - max(exponent, 1)"),
    "float64": ("np.int64", 0x7FFFFFFFFFFFFFFF, 0x7FF0000000000000, 52, "max(2046 - exponent, 1)"),
}

# The unit stands there with both signs: a product that is used once is fused with the addition.
_ADDING = """\
for i in range(count, {width}):
    value_part[i] = ZERO
peak = {bits}(0)
for i in range({width}):
    size = {bits}(np.{dtype}({term}).view({bits}) & {bits}({unsigned}))
    peak = size if size > peak else peak
if peak < {bits}({infinite}):
    exponent = np.int64(peak >> {bits}({place}))
    exponent = {exponent}
    unit = np.int64(exponent << 52).view(np.float64)
    minus_unit = np.int64((exponent - 2048) << 52).view(np.float64)
    coarse_sum, fine_sum = np.int64(-{width}) * COARSE_BITS, np.int64(-{width}) * FINE_BITS
    for i in range({width}):
        term = np.float64({term})
        coarse = term * unit + COARSE
        fine = FINE - (term * minus_unit + (coarse - COARSE))
        coarse_sum += np.float64(coarse).view(np.int64)
        fine_sum += np.float64(fine).view(np.int64)
    step = 1.0 / unit
{parts}
else:
    for i in range({width}):
        high += np.float64({term})
"""

_PART = """\
piece = {piece}
raised = high + piece
between = raised - high
low += (high - (raised - between)) + (piece - between)
high = raised
"""
_PARTS = "".join(
    _PART.format(piece=piece)
    for piece in (
        "(np.float64(coarse_sum >> 32) * 2.0**-17) * step",
        "(np.float64(coarse_sum & 0xFFFFFFFF) * 2.0**-49) * step",
        "(np.float64(fine_sum) * 2.0**-99) * step",
    )
)


def adding(width: int, dtype: str, weighted: bool) -> str:
    """The lines that add the ``width`` numbers of ``value_part``, times ``weight_part`` if any, to ``high`` and ``low``.

    Those from ``count`` on are no examples, and become zero.
    """
    term, kind = ("np.float64(value_part[i]) * weight_part[i]", "float64") if weighted else ("value_part[i]", dtype)
    bits, unsigned, infinite, place, exponent = BITS_OF[kind]
    parts = "\n".join(f"    {line}" for line in _PARTS.splitlines())
    return _ADDING.format(
        width=width, term=term, dtype=kind, bits=bits, unsigned=unsigned, infinite=infinite, place=place,
        exponent=exponent, parts=parts,
    )  # fmt: skip


def adding_a_few(weighted: bool) -> str:
    """The same for the first ``count`` numbers of ``value_part``, one after the other: shorter, and good for a few."""
    term = "np.float64(value_part[i])" + (" * weight_part[i]" if weighted else "")
    lines = "\n".join(f"    {line}" for line in _PART.format(piece=term).splitlines())
    return f"for i in range(count):\n{lines}\n"
