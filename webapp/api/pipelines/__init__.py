"""Pipelines: workspaces, models and deployments, and the URLs by which they are run."""
