"""Every live resource, synced from the provider, with its history."""
