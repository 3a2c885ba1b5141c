"""Linear models that minimise the average of any loss."""
