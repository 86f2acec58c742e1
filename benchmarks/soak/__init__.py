"""The soak: one daemon, thousands of tasks, a day with nothing to do, and what it costs.

``python -m benchmarks.soak`` from the root of a checkout, with a Python that has the runtime's
dependencies. Linux only: it reads ``/proc``.
"""
