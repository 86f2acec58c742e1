"""A package whose adaptor cannot be imported."""
