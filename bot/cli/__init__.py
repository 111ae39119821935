"""The ``caiwen`` command. One module per group of commands."""

from bot.cli.main import main

__all__ = ["main"]
