"""The home page's concerns, one per cause, and its unknowns."""
