"""Turns ``schema/`` into everything that is derived from it; a tool of the checkout, never installed."""
