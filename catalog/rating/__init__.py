"""The rules of rating: each a pure function that returns its result with the steps that came to it."""
