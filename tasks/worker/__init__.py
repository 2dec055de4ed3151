"""Private to worker processes: the Celery app, its one task, leases, keeper, providers, PDF."""
