"""Stands where the package `deadline` would be: the adaptors take a telemetry client from it."""
