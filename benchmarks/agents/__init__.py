"""What the benchmarks let Slipway run."""
