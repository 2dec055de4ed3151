"""The page a newcomer opens. It is a client like any other: all it does goes through the public API."""
