"""The figures this project keeps: ours beside the peer's, measured in one run.

``python -m benchmarks`` from the root of a checkout. One benchmark is one class in ``cases/``; see
``cases/__init__.py`` for how to add one. ``probes/`` and ``adaptor_*/`` run inside the measured
environments, the rest outside of them. Standard library only.
"""
