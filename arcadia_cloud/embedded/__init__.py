"""Servers of our own for one machine, and the processes of bin/run. Never in production."""
