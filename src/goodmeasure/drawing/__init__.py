"""Marks on a surface: pictures, tables and texts made of plain arrays and strings.

Nothing here knows a record, a loss or a study: whoever has one hands over its numbers.
"""
