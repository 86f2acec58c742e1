"""What an exception of the application's looks like on the wire."""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is not loaded inside the application
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Dict, Optional

# An exception may carry a whole scene in its text; the error must get through all the same.
LONGEST_MESSAGE = 10_000
LONGEST_TRACEBACK = 100_000


def describe(
    error: BaseException, trace: Optional[TracebackType], traced: bool = True
) -> Dict[str, str]:
    """`error` as messages carry it: its type, its message, its traceback from `trace` on.

    Without a traceback if it is not `traced`: it says all by its message.
    """

    try:
        message = str(error)
    except Exception:
        message = "(its text cannot be had)"
    shown = ""
    if traced:
        import traceback

        try:
            shown = "".join(traceback.format_exception(type(error), error, trace))
        except Exception:
            pass
    if len(shown) > LONGEST_TRACEBACK:
        half = LONGEST_TRACEBACK // 2
        shown = shown[:half] + "\n  [...]\n" + shown[-half:]
    if len(message) > LONGEST_MESSAGE:
        message = message[:LONGEST_MESSAGE] + " [...]"
    return {"type": type(error).__name__, "message": message, "traceback": shown}
