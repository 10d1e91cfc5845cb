"""Price simulations: past months of every subscriber of a plan, quoted again under a version of it."""
