"""An adaptor with schemas and a configuration."""
