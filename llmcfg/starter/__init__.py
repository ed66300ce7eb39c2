"""Starter configs: templates as data, fitted to a GPU, written with comments."""
