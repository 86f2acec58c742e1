from __future__ import annotations

from openjd.adaptor_runtime import EntryPoint

if __name__ == "__main__":
    EntryPoint("soak_adaptor.adaptor:SoakAdaptor").start()
