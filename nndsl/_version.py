"""The version, in its one place: packaging reads it here, and any room may import it."""

__version__ = "0.1.0"
