"""The command line: one module per command, none of which needs click to run."""
