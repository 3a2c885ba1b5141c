"""The main job: from a table and a question to a trained model, an honest risk, and a decision."""
