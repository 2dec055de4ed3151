"""Faults over real processes: what is killed, frozen, cut off or filled up, and that nothing is lost by it."""
