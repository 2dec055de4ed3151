"""The same work on Slipway and on its peers, in one run."""
