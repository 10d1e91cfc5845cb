"""The steps that touch DigitalOcean, shared by the workflows; a module per thing that they work on."""
