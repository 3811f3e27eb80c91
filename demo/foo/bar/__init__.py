"""Multiplication, division, and one module of some size."""
