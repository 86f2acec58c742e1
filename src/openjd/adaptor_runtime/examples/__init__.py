"""Example adaptors: real ones, shipped with the package so that they can be run and read."""
