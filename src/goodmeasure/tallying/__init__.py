"""The mergeable evidence of how good predictions are: exact sums, a fixed grid of scores, and what is read from
them."""
