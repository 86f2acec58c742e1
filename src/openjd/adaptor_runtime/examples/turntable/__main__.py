"""``python -m openjd.adaptor_runtime.examples.turntable``: the adaptor's command line."""

from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint

if __name__ == "__main__":
    # By name rather than by class: `daemon run` and `daemon stop` only talk to the daemon, so they
    # never import the adaptor, and a task starts that much sooner.
    EntryPoint("openjd.adaptor_runtime.examples.turntable.adaptor:TurntableAdaptor").start()
