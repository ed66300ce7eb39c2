"""What the caller of the command did wrong, as opposed to what is wrong with a config."""


class UserError(Exception):
    """The command cannot run as asked; each argument is a sentence that says why. Exit status 2."""
