"""The main job, run once without a browser: its pipeline, and what sets up and seeds a stack."""
