"""What needs a hand, for the home page: one entry per cause, and what isn't known yet."""
