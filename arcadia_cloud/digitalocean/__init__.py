"""The only code that talks to DigitalOcean."""
