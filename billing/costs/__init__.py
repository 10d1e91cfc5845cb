"""The costs of a month, broken down by a dimension."""
