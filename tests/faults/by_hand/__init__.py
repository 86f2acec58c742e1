"""``python -m faults.by_hand``."""
