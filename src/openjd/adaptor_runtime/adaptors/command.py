"""CommandAdaptor: an adaptor that runs one command for each task."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from .base import BaseAdaptor, _ConfigT

if TYPE_CHECKING:
    from ..process import ManagedProcess


class CommandAdaptor(BaseAdaptor[_ConfigT]):
    """An adaptor for an application that is started anew for each task."""

    #: The exit codes with which the command says that the task is done.
    success_exit_codes: ClassVar[Collection[int]] = (0,)

    @abstractmethod
    def get_managed_process(self, run_data: dict[str, Any]) -> ManagedProcess:
        """The command to run for a task.

        Args:
            run_data: the task's data; paths in it are mapped where ``data_schemas`` says so.
        """

    def on_prerun(self) -> None:
        """Called before the command is run."""

    def on_postrun(self) -> None:
        """Called after the command has ended with one of ``success_exit_codes``."""

    def _run(self, run_data: dict[str, Any]) -> None:
        process = self.get_managed_process(run_data)
        self.on_prerun()
        process.run()
        # A process class of an adaptor's own may override run(), and not know of its exit code.
        returncode = getattr(process, "returncode", None)
        if returncode is not None and returncode not in self.success_exit_codes:
            raise RuntimeError(f"the command ended with exit code {returncode}")
        self.on_postrun()
