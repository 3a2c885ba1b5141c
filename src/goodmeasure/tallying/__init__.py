"""The mergeable evidence of how good predictions are: exact sums, a fixed grid of scores, and what is read from them.

Where rows come from is for `engines`; rows that fit in memory are judged exactly by `risks`, `calibrating` and `decisions`.
"""
