"""The quarantine as people work with it: what is in it, one record in full, and sending records again."""
