"""An adaptor package that nobody can run: it has no __main__.py."""
