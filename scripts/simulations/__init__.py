"""Simulations that are too slow for the tests, one module a subject, each with its ``SECTIONS``."""
