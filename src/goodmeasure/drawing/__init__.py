"""Marks on a surface: pictures, tables and texts made of plain numbers and strings, and what every displayed result can do.

Nothing here knows a record, a loss or a study: whoever has one hands over its numbers.
"""
