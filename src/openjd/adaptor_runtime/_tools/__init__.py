"""The tools of ``openjd-adaptor``, for people: one module each, with ``main(arguments) -> int``.

None of them is loaded by a command that a scheduler runs.
"""
