"""Says why a session has failed, from what its log says and nothing else."""

from __future__ import annotations

from .finding import Finding, findings, where
from .matching import cause_of

__all__ = ["Finding", "cause_of", "findings", "where"]
