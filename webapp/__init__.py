"""The HTTP side of Slipway: it turns requests into jobs and jobs into answers."""
