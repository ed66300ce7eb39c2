"""What engines natively take, and how the schema stands to it: inventories, coverage, drift."""
