"""PyTorch: transformers and torch decide about a config, without weights and without the device."""
