"""The entry point, which knows the adaptor by its name."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("faults.by_command.adaptor:ByCommand").start()
