"""The record of a loss, and what is derived from it: numbers, predictions, implied probabilities, constants.

Each module reads the record, which knows none of them. Compiled code is in `kernels`, claims with evidence are in `traits`.
"""
