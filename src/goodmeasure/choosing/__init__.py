"""What a target asks for: from its values to a meaning, an activation, a loss, and a plan."""
