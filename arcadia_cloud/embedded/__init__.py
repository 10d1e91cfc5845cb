"""Servers of our own for one machine: PostgreSQL, Valkey, and the processes of bin/run. Never in production."""
