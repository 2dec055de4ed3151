"""Agents whose input has every shape that a form can have."""
