"""An adaptor whose class stands in its __main__.py."""
