"""Kafka to bronze: the tables, the Flink job that fills them, and the Java function that reads a record."""
