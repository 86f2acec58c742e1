"""A journal that attacks whoever reads it."""

from __future__ import annotations

from typing import Any

#: Where text of a log may end up: in elements, in attributes, in SVG, in a style.
_ATTACKS = (
    "</script><script>window.taken = 1</script>",
    "<img src=x onerror='window.taken = 1'>",
    '" onmouseover="window.taken = 1" x="',
    "' onfocus='window.taken = 1' autofocus x='",
    "</title></svg><svg onload='window.taken = 1'>",
    "</style><link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<iframe src=javascript:window.top.taken=1></iframe>",
    "]]><script>window.taken = 1</script>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "\u202e\u2066 turned around \u0000\x1b]8;;http://127.0.0.1:9/\x07link",
    "\ud800 half a character",
    "a" * 5000,
)


def _lines() -> list[dict[str, Any]]:
    at = 1.7e9
    whole = " ".join(_ATTACKS)
    lines: list[dict[str, Any]] = [
        {"t": at, "kind": "session", "adaptor": whole, "version": whole, "pid": 1, "mode": whole},
        {"t": at, "kind": "step", "step": "start", "event": "begin"},
        {"t": at + 1, "kind": "application", "event": "start", "pid": 2, "command": whole},
        {"t": at + 2, "kind": "status", "text": whole},
        {"t": at + 4, "kind": "step", "step": "start", "event": "end", "verdict": "ok"},
    ]
    for number, attack in enumerate(_ATTACKS, 1):
        begin = at + 5 * number
        lines += [
            {"t": begin, "kind": "step", "step": "run", "event": "begin", "task": number},
            {"t": begin, "kind": "phase", "phase": attack},
            {"t": begin + 1, "kind": "progress", "progress": 40 * number},
            {"t": begin + 1, "kind": "status", "text": attack},
            {"t": begin + 1, "kind": "memory", "bytes": number << 28},
            {"t": begin + 2, "kind": "line", "text": f"WARNING: {attack}"},
            {"t": begin + 2, "kind": "line", "text": f"STDERR: {attack}"},
            {"t": begin + 2, "kind": "output", "path": f"/etc/{attack}"},
            {"t": begin + 2, "kind": "output", "path": "/etc/passwd"},
            {"t": begin + 3, "kind": "fail", "text": attack},
            {"t": begin + 4, "kind": "step", "step": "run", "event": "end", "task": number,
             "verdict": "failed", "error": attack},
        ]  # fmt: skip
    return lines


LINES = _lines()
