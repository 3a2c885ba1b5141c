"""Tables from files and frames."""
