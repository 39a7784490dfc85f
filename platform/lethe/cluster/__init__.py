"""Ray's cluster: joined or started, on the cores that there are, in one runtime environment."""
