"""A script of a custom step: what it prints tells the adaptor that the task is done."""

from __future__ import annotations

print("Custom Step Executor: Progress: 50", flush=True)
print("Custom Step Executor: Complete", flush=True)
