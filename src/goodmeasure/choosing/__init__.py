"""What a target asks for: from its values to a meaning, an activation, a loss, and a plan with reasons.

It reads one column, no table and no features, and trains nothing.
"""
