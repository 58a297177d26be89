"""The data plane: connector, Flink job, quarantine and the WMS simulator."""
