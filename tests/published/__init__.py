"""Adaptors published for 0.9, installed from PyPI unchanged, run on this runtime."""
