"""A model in use: its later rows held against those it was made for, as they come, with intervals that hold at any time.

What a model keeps of its own rows is made in `study`; a tally of scored rows, which knows no model, is in `tallying`.
"""
