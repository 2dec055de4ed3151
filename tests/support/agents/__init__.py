"""Agents that tests run beside the shipped ones: they wait, compute, crash and stream on demand."""
