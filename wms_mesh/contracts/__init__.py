"""The contracts of the data products as files: contracts/<product>.odcs.yaml, made from the models and the suites."""
