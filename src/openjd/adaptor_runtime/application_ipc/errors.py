"""ApplicationError: what went wrong in the application."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_LINE = 2000


class ApplicationError(RuntimeError):
    """A call failed in the application, or the application is not there to perform it.

    Args:
        message: what went wrong; becomes one line.
        remote_type: the type of the exception that was raised in the application.
        remote_message: that exception's own text, as it was.
        remote_traceback: that exception's traceback, lines of text.
        exit_status: the status of the application's process, if it has ended (negative: a signal).
        last_lines: what the application printed last.
    """

    def __init__(
        self,
        message: str,
        *,
        remote_type: str | None = None,
        remote_message: str | None = None,
        remote_traceback: str | None = None,
        exit_status: int | None = None,
        last_lines: Iterable[str] = (),
    ) -> None:
        self.message = " ".join(filter(None, (line.strip() for line in message.splitlines())))
        if len(self.message) > _LONGEST_LINE:
            self.message = self.message[:_LONGEST_LINE] + " [...]"
        super().__init__(self.message)
        self.remote_type = remote_type
        self.remote_message = remote_message
        self.remote_traceback = remote_traceback
        self.exit_status = exit_status
        self.last_lines = list(last_lines)
        #: Whether the scheduler has been told of it already.
        self.told = False

    @classmethod
    def from_remote(cls, what: str, error: object) -> ApplicationError:
        """The error that a message of the application's describes.

        Args:
            what: what failed, "render".
            error: {"type", "message", "traceback"}, each text.
        """
        fields = error if isinstance(error, dict) else {}
        kind = str(fields.get("type") or "Exception")
        text = str(fields.get("message") or "")
        told = f"{kind}: {text}" if text.strip() else kind
        return cls(
            f"{what} failed in the application: {told}",
            remote_type=kind,
            remote_message=text,
            remote_traceback=str(fields.get("traceback") or "") or None,
        )
