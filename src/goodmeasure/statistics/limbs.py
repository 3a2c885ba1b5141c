"""How an exact sum is kept: as limbs of a number in base 2**32, in units of the smallest double."""

LIMB = 32
LOWEST = 1074  # doubles are whole multiples of 2**-1074
MOST_ADDED = 1 << 28  # additions that int64 limbs take between two carries
LIMBS = 70  # all exponents of a double, and what the carries need
