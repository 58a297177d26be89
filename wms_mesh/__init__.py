"""The control plane: command line, embedded engines, supervisor, report."""
