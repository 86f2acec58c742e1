"""The adaptor of the soak, and the client in its application."""
