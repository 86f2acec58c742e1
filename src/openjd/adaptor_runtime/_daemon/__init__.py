"""The daemon that keeps an adaptor alive between tasks, and the frontend that talks to it."""
