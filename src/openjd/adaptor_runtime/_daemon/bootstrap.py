"""What frontend and backend tell each other before the backend listens.

The frontend writes one JSON object, on one line, to the backend's stdin, and keeps that pipe
open for as long as it lives: a backend that was not asked to start by then has no purpose.

The backend's stdout and stderr are one pipe to the frontend; it ends with a record that begins
with a token only the two know, so that nothing that is printed by accident can be taken for it.
Init data travels here, and not in arguments, which other users can read.
"""

from __future__ import annotations

import json
import os
from typing import Any

TOKEN_BYTES = 16


def new_token() -> str:
    """A token that nobody can guess."""
    return os.urandom(TOKEN_BYTES).hex()


def encode_record(token: str, record: dict[str, Any]) -> bytes:
    """The record with which the backend's bootstrap output ends."""
    return f"\n{token} {json.dumps(record)}\n".encode()


def split(token: str, output: bytes) -> tuple[str, dict[str, Any] | None]:
    """The words that the backend printed, and the record if it has come (else None)."""
    words, found, rest = output.partition(f"\n{token} ".encode())
    record = json.loads(rest) if found and rest.endswith(b"\n") else None
    return words.decode("utf-8", "backslashreplace"), record
