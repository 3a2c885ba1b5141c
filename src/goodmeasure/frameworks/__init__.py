"""The same loss in other systems: one family of modules a host, none of which imports another's.

A host's own spelling of words stands here; no formula does.
"""
