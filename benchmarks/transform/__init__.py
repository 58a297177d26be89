"""What the current-state engine costs as tables grow: ``./mesh bench transform``."""
