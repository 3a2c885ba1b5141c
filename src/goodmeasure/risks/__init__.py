"""What a fitted model costs on rows it never saw, how sure that is, and what would make it look better than it is."""
