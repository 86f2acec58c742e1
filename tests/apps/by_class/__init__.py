"""The obedient adaptor again; its entry point has its class."""
