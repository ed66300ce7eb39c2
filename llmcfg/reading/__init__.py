"""From bytes to a document: YAML 1.2 or JSON, read strictly, with the place of every key and value."""
