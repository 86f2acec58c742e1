"""Looks at reports in a real browser; ``python -m tests.report_pages``."""
