"""Linear models that minimise the mean of any loss: solvers, certificates of what they reached, scikit-learn's interface.

Choosing the loss belongs to `choosing`, choosing strengths and encoding columns to `study`.
"""
