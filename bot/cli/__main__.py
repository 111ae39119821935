"""``python -m bot.cli`` is ``caiwen``."""

from bot.cli.main import main

main()
