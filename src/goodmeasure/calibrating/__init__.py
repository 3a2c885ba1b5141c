"""Do predictions mean what they say, and how are they mended: probabilities, classes and amounts.

What a mistake costs does not matter here: that is for `decisions`.
"""
