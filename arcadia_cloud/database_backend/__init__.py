"""Django's backend of PostgreSQL, with a limit to how long a server may stay silent."""
