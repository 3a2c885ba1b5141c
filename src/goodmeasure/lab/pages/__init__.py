"""The pages of the lab: each page that the modules of this package hold. There is no other list."""
