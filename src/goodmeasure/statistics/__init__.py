"""Numbers that are estimated: estimates with their intervals, sums without rounding, and the checks of the rows they come from.

It knows columns of numbers only: what a number is the loss, the cost or the calibration of belongs to those rooms.
"""
