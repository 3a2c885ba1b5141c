"""Pages that teach: the glossary, and an exercise that is computed when it is done.

The card of a loss stands with the loss, and codes of errors with what raises them.
"""
