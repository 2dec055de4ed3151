"""Everything that is not HTTP: agents, jobs, pipelines and the workers that run them."""
