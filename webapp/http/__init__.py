"""What every answer needs, whatever it is about: problems, limits, request ids, logs, streams, downloads."""
