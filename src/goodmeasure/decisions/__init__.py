"""From a prediction and the costs of mistakes to an act."""
