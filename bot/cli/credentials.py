"""Keys for credentials that administrators type: making one, changing to a new one."""

import typer

from bot.cli.context import run, state_of
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.notifications.errors import SecretsKeyMissing
from bot.notifications.rotation import Resealed, reseal
from bot.secrets_at_rest import new_key

app = typer.Typer(no_args_is_help=True, help="渠道密钥的加密。")


@app.command("new-key")
def make_key() -> None:
    """Print a new key for CAIWEN_SECRETS__KEYS; nothing is kept."""
    typer.echo(new_key())


@app.command()
def rotate(context: typer.Context) -> None:
    """Seal every kept credential again under the first key."""
    state = state_of(context)
    try:
        done = run(state, _rotate(state))
    except SecretsKeyMissing:
        raise state.fail("cli.secrets.no_key") from None
    state.say(
        "cli.secrets.rotated",
        changed=done.changed,
        current=done.current,
        unreadable=done.unreadable,
    )
    if done.unreadable:
        raise typer.Exit(1)


async def _rotate(state: Deployment) -> Resealed:
    database = state.database()
    try:
        return await reseal(database, state.settings.secrets.vault(), now=utc_now())
    finally:
        await database.dispose()
