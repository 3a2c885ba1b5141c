"""What a fitted model costs on rows it never saw, how sure that is, and what would make it look better than it is.

Losses come as numbers, one a row; sums over many machines are in `tallying`.
"""
