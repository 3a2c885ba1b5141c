"""The pages of the lab: every ``LabPage`` that the modules of this package hold. There is no other list."""
