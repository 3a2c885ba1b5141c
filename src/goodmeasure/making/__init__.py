"""The object that users hold: a loss with all its readers, its card, and the decorator that makes it of a formula.

What is computed belongs to the rooms below, which take the record alone.
"""
