"""What is wrong with a document: the schema, rules, hardware, releases; in the user's words."""
