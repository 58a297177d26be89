"""What the cluster's deployment and its tests need of this code: generated facts, tools, rendering, checks."""
