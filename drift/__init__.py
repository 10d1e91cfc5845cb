"""Differences between desired and live state."""
