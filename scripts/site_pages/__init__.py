"""The pages of the site: those that are kept, and those that are made of the catalogue, the rules and the docstrings.

A module gives pages as Markdown by their place in the site. What the builder makes of them is its own affair
(`scripts/website.py`); whatever a page shows in numbers was computed by what it speaks of.
"""
