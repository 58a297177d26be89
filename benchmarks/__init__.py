"""What is slow, measured: `./mesh bench`."""
