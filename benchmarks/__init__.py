"""Measurements. Each prints its figures; none of them judges."""
