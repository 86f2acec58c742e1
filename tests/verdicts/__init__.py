"""The ways in which a task can end: a table, its page in the docs, and what drives each row."""
