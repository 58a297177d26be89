"""Storms over a running stack: what dies, stalls, fills up or is cut off must lose, double and corrupt nothing."""
