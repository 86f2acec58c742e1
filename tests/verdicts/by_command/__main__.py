"""The entry point."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("verdicts.by_command:FakeCommand").start()
