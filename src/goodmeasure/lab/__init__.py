"""The lab: pages on which an idea is tried, each with a picture, a question to answer first, and something to move.

What a page shows is computed by the rooms below, and its losses are printed from their formulas. The pages of words stand in
`explaining`; what a study found, in `report`.
"""
