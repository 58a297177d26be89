"""The Debezium connector: its one configuration, and the calls that apply it."""
