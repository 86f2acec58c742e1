"""An adaptor that keeps one application through a session and talks to it over a pipe."""
