"""The words of the field, a module a theme: every page that its modules hold is found; there is no other list."""

# In which order a reader meets the themes.
ORDER = ("outputs", "measures", "distances", "learning", "judging", "sampling", "deciding")
