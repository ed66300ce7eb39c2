"""The four output formats."""
