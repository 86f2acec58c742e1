"""ManagedProcess: the command that a CommandAdaptor runs for a task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from ..app_handlers import RegexHandler
from .logging_subprocess import LoggingSubprocess


class ManagedProcess(ABC):
    """Says what to run for a task, and runs it.

    Args:
        run_data: the task's run data.
        stdout_handler: called for each line of the command's stdout.
        stderr_handler: called for each line of its stderr.
    """

    def __init__(
        self,
        run_data: dict[str, Any],
        *,
        stdout_handler: RegexHandler | None = None,
        stderr_handler: RegexHandler | None = None,
    ) -> None:
        self.run_data = run_data
        self.stdout_handler = stdout_handler
        self.stderr_handler = stderr_handler
        #: The exit code of the command once ``run`` has returned, else None.
        self.returncode: int | None = None

    @abstractmethod
    def get_executable(self) -> str:
        """The program to run: a path, or a name to look up on PATH."""

    def get_arguments(self) -> list[str]:
        """The arguments for it; none unless overridden. No shell reads them."""
        return []

    def get_startup_directory(self) -> str | None:
        """The folder to run it in; this process's own unless overridden."""
        return None

    def run(self) -> None:
        """Runs the command and waits for its end; ``returncode`` holds its exit code then.

        Raises:
            FileNotFoundError: the executable or the startup directory does not exist.
        """
        process = LoggingSubprocess(
            args=[self.get_executable(), *self.get_arguments()],
            startup_directory=self.get_startup_directory(),
            stdout_handler=self.stdout_handler,
            stderr_handler=self.stderr_handler,
        )
        with process:
            process.wait()
        self.returncode = process.returncode
