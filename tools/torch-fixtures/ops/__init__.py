"""Recorded operations, one module per family."""
