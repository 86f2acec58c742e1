"""The version of this package, which a client tells its adaptor."""

version = "0.9.7"
