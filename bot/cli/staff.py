"""Staff accounts from the command line."""

import sys
from typing import Annotated

import typer

from bot.accounts.service import add_staff
from bot.cli.context import run, state_of
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.errors import InvalidInput
from bot.tables import Role

app = typer.Typer(no_args_is_help=True, help="工作人员账号。")


@app.command()
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="登录名。")],
    role: Annotated[Role, typer.Option(help="角色。")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读取密码。")
    ] = False,
    display_name: Annotated[str, typer.Option(help="显示给用户的姓名。")] = "",
    post: Annotated[str, typer.Option(help="岗位，例如 一线工程师。")] = "",
    region: Annotated[list[str] | None, typer.Option(help="负责的区划，可重复。")] = None,
    module: Annotated[list[str] | None, typer.Option(help="负责的功能，可重复。")] = None,
) -> None:
    """Add an account."""
    state = state_of(context)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("密码", hide_input=True, confirmation_prompt=True)
    try:
        run(
            state,
            _add(
                state,
                name,
                password,
                role=role,
                display_name=display_name,
                post=post,
                regions=region or [],
                modules=module or [],
            ),
        )
    except InvalidInput as error:
        raise state.fail(error.reason) from None
    state.say("cli.staff_added", name=name, role=role.value)


async def _add(
    state: Deployment,
    name: str,
    password: str,
    *,
    role: Role,
    display_name: str,
    post: str,
    regions: list[str],
    modules: list[str],
) -> None:
    database = state.database()
    try:
        async with database.transaction() as session:
            await add_staff(
                session,
                username=name,
                password=password,
                role=role,
                name=display_name,
                post=post,
                regions=regions,
                modules=modules,
                now=utc_now(),
            )
    finally:
        await database.dispose()
