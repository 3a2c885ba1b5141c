"""The learning signal on given predictions: where it points, who carries it, and whether it helps a metric.

What is true of a signal whatever the data is a trait: see `traits`.
"""
