"""CommandLineAdaptor: an adaptor for an application that is run anew for each task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from .supervised import SupervisedAdaptor, describe_end


class CommandLineAdaptor(SupervisedAdaptor):
    """Runs commands for each task, under the rules and limits of a ``SupervisedAdaptor``."""

    @abstractmethod
    def commands(self, run_data: dict[str, Any]) -> Iterable[list[str]]:
        """The command lines of a task, run one after the other. No shell reads them.

        Made one at a time: ``frames`` can be iterated here, and a command may depend on what
        the one before it has done.

        Args:
            run_data: the task's data.

        Returns:
            command lines; of each the first text is the program, the others its arguments.
        """

    def on_run(self, run_data: dict[str, Any]) -> None:
        """Runs the commands.

        Args:
            run_data: the task's data.

        Raises:
            ApplicationError: one of them ended with a code that is not in
                ``success_exit_codes``, or a rule says that it has failed.
            FileNotFoundError: there is no such program.
        """
        book, _ = self._supervisors()
        for command in self.commands(run_data):
            self._check_wanted()
            process = self._start_process(command)
            try:
                # Who ended the task while its process was being started has not seen it.
                self._check_wanted()
                process.wait()
            finally:
                # Nothing that it has started outlives it.
                process.terminate(0)
            self._check_wanted()
            if process.returncode not in self.success_exit_codes:
                end = describe_end(process.returncode)
                raise self._failure(
                    f"{self.application_name} ended with {end}", exit_status=process.returncode
                )
            if book.failure is not None:
                raise self._failure(book.failure)

    def _start(self) -> None:
        with self._step("start"):
            self.on_start()

    def _run(self, run_data: dict[str, Any]) -> None:
        with self._step("run"):
            check = self._task(run_data)
            self.on_run(run_data)
            self._verify(check)
        self._finish_progress()

    def _stop(self) -> None:
        with self._step("stop"):
            self.on_stop()
