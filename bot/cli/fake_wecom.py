"""The pretended 粤政易: a platform of our own to show and try the channel with."""

from typing import Annotated

import httpx
import typer
import uvicorn

from bot.channels.fake_wecom import (
    Demonstration,
    bot_environment,
    demonstration,
    demonstration_bot_settings,
    demonstration_settings,
    environment,
)
from bot.cli.context import run, state_of
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.web.fake_wecom_pages import create_app


def fake_wecom(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="监听地址；没有登录，不要对外开放。")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口。")] = 8090,
    to: Annotated[str, typer.Option(help="财问的地址，回调发到这里。")] = "http://127.0.0.1:8000",
    socket: Annotated[bool, typer.Option(help="智能机器人用长连接，不用回调。")] = False,
) -> None:
    """Serve a pretended 粤政易 with a page to type in as one of its members."""
    state = state_of(context)
    settings = demonstration_settings(state.settings.wecom, f"http://{host}:{port}", to)
    state.say("cli.fake_wecom.start")
    address = f"http://{host}:{port}"
    bot = demonstration_bot_settings(state.settings.wecom_bot, address, socket=socket)
    for name, value in {**environment(settings), **bot_environment(bot)}.items():
        typer.echo(f"{name}={value}")

    async def serve() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            shown = demonstration(
                settings,
                state.phrases,
                utc_now,
                client=client,
                to=to,
                bot=bot,
                base_url=address,
            )
            config = uvicorn.Config(
                create_app(shown, state.phrases),
                host=host,
                port=port,
                log_level="warning",
                access_log=False,
            )
            await _tell(state, shown, address)
            await uvicorn.Server(config).serve()

    run(state, serve())


async def _tell(state: Deployment, shown: Demonstration, address: str) -> None:
    callback = shown.postman.address
    state.say("cli.fake_wecom.serving", address=address, callback=callback)
    try:
        works = await shown.postman.check_address()
    except httpx.HTTPError:
        works = False
    told = "cli.fake_wecom.callback_works" if works else "cli.fake_wecom.callback_fails"
    state.say(told, callback=callback)
