"""The main job: from a table and a question to a trained model, an honest risk, and a decision.

Each step is a call to a room below; what is shown of it belongs to `report`.
"""
