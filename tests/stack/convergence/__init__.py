"""The property test of the engine: change logs, an oracle that shares nothing with the macros, and a sandbox to run dbt in."""
