"""Multiplication."""


def multiply(x, y):
    """Return the product of x and y."""
    return x * y
