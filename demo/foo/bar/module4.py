"""Division."""


def divide(x, y):
    """Return x divided by y; ZeroDivisionError when y is 0."""
    return x / y
