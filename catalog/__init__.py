"""The catalog: plans, versioned prices, add-ons, and quotes of what a usage costs."""
