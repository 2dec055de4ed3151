"""Your room: one file for each AI function. Copy one of them to add yours; docs/agents.md tells the rest."""
