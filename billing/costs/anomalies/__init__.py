"""Cost anomalies: days that cost something else than expected, and why, from our own history."""
