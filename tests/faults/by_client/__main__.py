"""The entry point, which knows the adaptor by its name."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("faults.by_client.adaptor:ByClient").start()
