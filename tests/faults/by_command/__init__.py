"""``python -m faults.by_command``."""
