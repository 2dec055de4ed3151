"""The whole stack on one machine, with nothing installed but Python: for demo, development and tests."""
