"""Ask an engine's own configuration code what it makes of a config, on a device that need not be there."""
