"""Deployed models: what is known of them (both sides), the job that runs them and its libraries (workers)."""
