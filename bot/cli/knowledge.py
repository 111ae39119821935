"""Import into, and search, the knowledge base."""

from typing import Annotated, Any

import typer

from bot.cli.context import Jsonl, Paths, emit, input_lines, read_queries, run, state_of
from bot.clock import utc_now
from bot.conversations.greeting import LOCAL
from bot.importing import import_paths
from kb.batch import result_row
from kb.errors import IndexMismatch, IndexMissing
from kb.fresh_index import FreshIndex
from kb.index_holder import IndexHolder
from kb.retriever import Retriever

app = typer.Typer(no_args_is_help=True, help="知识库。")


@app.command("import")
def import_(
    context: typer.Context,
    paths: Paths,
    publish: Annotated[bool, typer.Option("--publish", help="导入后直接发布。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="每个文件输出一行 JSON。")] = False,
) -> None:
    """Import guides and FAQ tables; a file that cannot be read never stops the others."""
    state = state_of(context)
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise state.fail("cli.no_such_file", path=missing[0])

    def report(record: dict[str, Any]) -> None:
        if as_json:
            emit(record)
        else:
            _tell(record)

    records = run(state, import_paths(state, paths, publish=publish, report=report))
    if records and all(record["status"] == "refused" for record in records):
        raise typer.Exit(1)


def _tell(record: dict[str, Any]) -> None:
    counts = " ".join(
        f"{name}={record[name]}"
        for name in ("sections", "passages", "entries", "images", "tables")
        if record.get(name)
    )
    detail = f" {record['detail']}" if record.get("detail") else ""
    typer.echo(f"{record['status']:10} {record['file']} {counts}{detail}")


@app.command()
def search(context: typer.Context, jsonl: Jsonl = False) -> None:
    """Answer queries from standard input as the live search does."""
    state = state_of(context)
    if not jsonl:
        raise state.fail("cli.jsonl_needed")
    chosen = state.settings.kb
    # What was published since the last training is searched too, as in a conversation.
    index = FreshIndex(
        state.settings.home,
        IndexHolder(state.settings.home, chosen),
        refresh_seconds=chosen.refresh_seconds,
    )
    try:
        index.current()
    except (IndexMissing, IndexMismatch):
        raise state.fail("cli.no_index") from None
    retriever = Retriever(index)
    today = utc_now().astimezone(LOCAL).date()
    for query_id, text, error in read_queries(input_lines()):
        if error is not None:
            emit({"id": query_id, "error": error})
            continue
        emit(result_row(query_id, retriever.search(text, today=today)))
