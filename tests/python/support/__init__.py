"""What the tests of the Python package share; conftest.py makes fixtures of it."""
