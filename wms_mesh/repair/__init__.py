"""Mending without starting over: re-snapshot a collection, rebuild a model, go on after a lost place in the oplog."""
