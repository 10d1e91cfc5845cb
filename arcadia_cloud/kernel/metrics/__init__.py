"""Metrics: counts that every process adds to, and gauges that are read when somebody scrapes."""
