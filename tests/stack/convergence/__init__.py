"""The property test of the engine: change logs, an oracle that shares nothing with the macros, a sandbox for dbt."""
