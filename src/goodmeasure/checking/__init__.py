"""Whether a loss is what it claims: its numbers in arbitrary precision, and the battery of checks that any loss passes.

What a loss is like (convex, robust, proper) is for `traits`.
"""
