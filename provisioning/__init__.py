"""Sagas: durable step lists that change infrastructure."""
