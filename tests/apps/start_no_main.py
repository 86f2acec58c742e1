"""The command of the package without __main__.py, as a console script would be."""

from openjd.adaptor_runtime import EntryPoint

EntryPoint("no_main.adaptor:Small").start()
