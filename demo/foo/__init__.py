"""Arithmetic in small modules, to be imported from a store."""
