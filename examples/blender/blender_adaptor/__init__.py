"""An Open Job Description adaptor for Blender."""

from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint


def main() -> None:
    """The console command ``blender-openjd``."""
    EntryPoint("blender_adaptor.adaptor:BlenderAdaptor").start()
