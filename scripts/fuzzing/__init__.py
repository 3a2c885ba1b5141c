"""Inputs that nobody should bring, and what must hold whatever comes: see fuzz.py."""
