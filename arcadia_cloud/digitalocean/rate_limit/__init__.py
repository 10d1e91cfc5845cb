"""DigitalOcean's rate limit: the count of a token's calls, in Redis for all processes and in each alone."""
