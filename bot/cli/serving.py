"""Serving: one web process, a worker, or everything with a process manager."""

import asyncio
import gc
import os
import shlex
import sys
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from honcho.manager import Manager
from typing_extensions import override

from bot.app import create_app
from bot.assembly import assemble
from bot.cli.context import run, state_of
from bot.conversations.live import Live
from bot.deployment import Deployment
from bot.running import running
from kb.errors import IndexMismatch
from nlu.train import RasaServer, rasa_command, rasa_environment

#: Longer than a proxy in front keeps an idle connection (nginx: 60 s): whoever closes first must be
#: the one that sends, or a request now and then meets a connection that is being closed.
KEEP_ALIVE_S = 75


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="监听端口。")] = None,
    worker: Annotated[bool, typer.Option(help="同时运行后台任务。")] = True,
) -> None:
    """Serve the web application; its database is migrated already."""
    state = state_of(context)
    settings = state.settings
    chosen_host, chosen_port = host or settings.host, port or settings.port
    services = assemble(settings)
    try:
        if not services.knowledge.is_ready():
            state.say("cli.no_index_yet")
    except IndexMismatch as mismatch:
        # Answers from an index of other words or another model would be wrong, not merely old.
        raise state.fail("cli.index_mismatch", what=mismatch.what) from None
    config = uvicorn.Config(
        create_app(services, worker=worker),
        host=chosen_host,
        port=chosen_port,
        log_level="warning",
        # Addresses with queries stay out of the logs; bot.web.middleware writes its own line.
        access_log=False,
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )
    # What is loaded by now stays: going through it again and again would only cost time.
    gc.collect()
    gc.freeze()
    _Server(config, services.live).run()


class _Server(uvicorn.Server):
    """Ends the event streams first: a server waits for open connections before it stops."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.close()
        super().handle_exit(sig, frame)


def worker(context: typer.Context) -> None:
    """Run only the background work: relay, timers, recovery."""
    state = state_of(context)
    run(state, _work(state))


async def _work(state: Deployment) -> None:
    async with running(assemble(state.settings)):
        await asyncio.Event().wait()


def up(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="监听地址。")] = None,
    port: Annotated[int | None, typer.Option(help="监听端口。")] = None,
) -> None:
    """Run web and, when it is installed and trained, Rasa side by side."""
    state = state_of(context)
    manager = Manager()
    home = str(state.workspace.home)
    web = [sys.executable, "-m", "bot.cli", "--home", home, "serve"]
    chosen_host = host or state.settings.host
    chosen_port = port or state.settings.port
    web += ["--host", chosen_host, "--port", str(chosen_port)]
    rasa = _rasa_command(state)
    environment = dict(os.environ)
    if rasa is None:
        environment["CAIWEN_NLU__ENABLED"] = "false"
        state.say("cli.without_rasa")
    else:
        # Rasa's libraries warn by the page; what it says is for whoever looks into its log.
        log_file = shlex.quote(str(state.workspace.logs.resolve() / "nlu.log"))
        manager.add_process("nlu", f"{_shell(rasa)} >>{log_file} 2>&1", env=rasa_environment())
    manager.add_process("web", _shell(web), env=environment)
    state.say("cli.serving", address=f"http://{chosen_host}:{chosen_port}")
    manager.loop()
    raise typer.Exit(manager.returncode or 0)


def _rasa_command(state: Deployment) -> tuple[str, ...] | None:
    executable = state.rasa_executable()
    if not state.settings.nlu.enabled or executable is None:
        return None
    if not state.workspace.rasa_model.is_file():
        return None
    url = state.settings.nlu.rasa_url
    port = int(url.rsplit(":", 1)[1].split("/")[0]) if url.count(":") > 1 else 5005
    server = RasaServer(port=port, token=state.rasa_token())
    return rasa_command(executable, state.workspace.rasa_model, server)


def _shell(command: tuple[str, ...] | list[str]) -> str:
    return "exec " + shlex.join(command)
