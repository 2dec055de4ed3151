"""Real parts that tests and benchmarks start: servers and workers."""
