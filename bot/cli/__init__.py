"""The ``caiwen`` command. One module per group of commands; ``bot.cli.main`` is the entry."""
