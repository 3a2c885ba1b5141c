"""Pages that teach: a page for each word of the field, an exercise that is computed when it is done, and what "mean" means.

The card of a loss stands with the loss, and the page of an error with what raises it.
"""
