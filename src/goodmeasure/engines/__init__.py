"""Where tallies are made: each engine reads shards its own way, and all of them sum with the same accumulator.

What a tally says is read in `tallying`.
"""
