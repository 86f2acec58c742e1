"""Sessions that are broken on purpose at seeded random moments, and what must be left of them."""
