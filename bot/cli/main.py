"""The command's entry: options for all, and the groups."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import structlog
import typer
from pydantic import ValidationError

from bot.cli import (
    calibrate,
    credentials,
    evaluate,
    fake_wecom,
    fine_tune,
    knowledge,
    serving,
    setup,
    staff,
    talking,
)
from bot.deployment import Deployment
from bot.settings import Settings

#: Libraries that print addresses, statements or lines of a protocol with what they hold.
NOISY = (
    "aiosmtplib",
    "aiosqlite",
    "alembic",
    "httpcore",
    "httpx",
    "sentence_transformers",
    "sqlalchemy",
    "telegram",
    "transformers",
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="财问：财政业务系统的对话式服务台。",
)
app.add_typer(staff.app, name="staff")
app.add_typer(credentials.app, name="secrets")
app.add_typer(knowledge.app, name="kb")
knowledge.app.command()(calibrate.calibrate)
knowledge.app.command()(fine_tune.fine_tune)
app.add_typer(talking.nlu_app, name="nlu")
for command in (setup.init, setup.migrate, setup.train, setup.doctor):
    app.command()(command)
for command in (serving.serve, serving.up, serving.worker, fake_wecom.fake_wecom):
    app.command()(command)
for command in (talking.triage, talking.chat, evaluate.evaluate):
    app.command()(command)


@app.callback()
def workspace(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="工作区目录（数据库、模型、索引、图片），默认 ./var。")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="输出调试日志。")] = False,
) -> None:
    """Read the settings and quieten the logs."""
    configure_logging(verbose=verbose)
    try:
        settings = Settings() if home is None else Settings(home=home)
    except ValidationError as error:
        for problem in error.errors():
            name = "CAIWEN_" + "__".join(str(part) for part in problem["loc"]).upper()
            typer.echo(f"{name}: {problem['msg']}", err=True)
        raise typer.Exit(2) from None
    context.obj = Deployment(settings)


def configure_logging(*, verbose: bool) -> None:
    """Structured lines on standard error; standard output is for results."""
    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    quieten_libraries()


def quieten_libraries() -> None:
    """Keep libraries from printing what they are given: addresses with secrets, words of people."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def main() -> None:
    """Run the command."""
    app()
