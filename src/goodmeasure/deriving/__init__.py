"""The record of a loss, and what is derived from it: numbers, statistics of classes, predictions, probabilities, constants.

Each module is a reader of the record, which knows none of them. Compiled code is in `goodmeasure.kernels`.
"""
