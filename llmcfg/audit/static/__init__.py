"""Read configuration objects from an engine's source code, without importing it."""
