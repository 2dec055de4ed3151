"""How Slipway is run: on a laptop, on a server, in containers, in a cluster."""
