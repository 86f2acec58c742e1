"""``python -m faults.by_client``."""
