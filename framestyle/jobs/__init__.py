"""WORK: what must be done, and doing it."""
