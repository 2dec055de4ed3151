"""Requests that nobody would think of, made from our own description."""
