"""Subtraction."""


def subtract(x, y):
    """Return x less y."""
    return x - y
