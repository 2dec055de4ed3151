"""What somebody who is new here writes: files that a test puts into the agents' room of a copy."""
