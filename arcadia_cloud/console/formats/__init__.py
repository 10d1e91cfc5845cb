"""Formats of the console's dates: to the second, in UTC, on a clock of 24 hours."""
