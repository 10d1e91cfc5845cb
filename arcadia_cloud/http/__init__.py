"""Health, readiness, the API's address list and its schema: HTTP that belongs to no one app."""
