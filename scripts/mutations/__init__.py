"""Small changes of the source, each tried on the tests that run the changed line."""
