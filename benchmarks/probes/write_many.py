"""The application of the benchmark whose output is not read: numbered lines, as fast as it can.

Arguments: the number of lines, a multiple of 1,000; their length with the line's end; a port. A
connection to that port of this machine is open for as long as it writes.
"""

from __future__ import annotations

import os
import socket
import sys

BLOCK = 1_000

count, width, port = (int(argument) for argument in sys.argv[1:])
with socket.create_connection(("127.0.0.1", port)):
    filler = "x" * (width - 10)
    template = "".join(f"@@@@@@{n:03d}{filler}\n" for n in range(BLOCK)).encode("ascii")
    for block in range(count // BLOCK):
        data = memoryview(template.replace(b"@@@@@@", b"%06d" % block))
        while data:
            data = data[os.write(1, data) :]
