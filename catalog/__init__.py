"""What is sold: plans, versioned prices, add-ons and quotes."""
