"""Mistakes in code that calls this package or adds to it, told at once: keywords, values, names that are defined twice.

What arrays and formulas hold is checked by the rooms that read them.
"""
