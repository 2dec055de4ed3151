"""The peers' side of the comparisons. They run in an environment of their own and share no code with the project."""
