"""Settings of editors: the schema mapped to the names that configs have."""
