"""A plain adaptor, with the classes beneath."""
