"""The agents of pipelines. They have doors of their own: they are not listed, and not run by name."""
