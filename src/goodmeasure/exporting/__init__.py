"""A model in another language: one module a language, which writes down a program of cells, sums, formulas and choices.

What a model's parts mean is decided in `study`, which makes the program; how a word is spelled there, in each language's module.
"""
