"""The same loss in other systems: one module a host, none of which imports another."""
