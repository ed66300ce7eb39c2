"""What the schema says of a parameter, a value or a rule, gathered once and laid out as text or JSON."""
