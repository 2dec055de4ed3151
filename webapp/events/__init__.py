"""How waiting requests hear what their jobs say."""
