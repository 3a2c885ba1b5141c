"""The record of a loss, and what is derived from it: numbers, predictions, implied probabilities, constants, and rows as choices.

Each module reads the record, which knows none of them, or makes what it is given.
Compiled code is in `kernels`, claims with evidence are in `traits`.
"""
