"""A small training set of our own, and stand-ins for interpreters and for a Rasa server."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from nlu.errors import InterpreterUnavailable, UnavailableReason
from nlu.types import Intent, Understanding

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"

SMALL = """
version: "3.1"
nlu:
- intent: ask_question
  examples: |
    - [支付申请](module)怎么撤回
    - 怎么录入[支付申请](module)
    - [指标]{"entity": "module", "value": "预算指标管理"}在哪里查
    - 请问怎么打印凭证
    - 怎么改单位信息
    - 在哪里下载电子缴款书
    - 如何新增人员
    - 报表怎么导出
- intent: report_fault
  examples: |
    - [支付申请](module)打不开
    - 系统报[502](error_text)
    - [全单位](scope)都登不上
    - 点保存就报错
    - 页面一直转圈
    - 打印没反应
    - 附件传不上去
    - 登录不了系统
- intent: greet
  examples: |
    - 你好
    - 您好
    - 在吗
    - 早上好
    - 下午好
    - 哈喽
    - 有人吗
    - 你好啊
- intent: thanks
  examples: |
    - 谢谢
    - 多谢
    - 唔该晒
    - 感谢
    - 谢谢你
    - 辛苦了
    - 太感谢了
    - 谢啦
- intent: policy_question
  examples: |
    - 会议费可以列支吗
    - 差旅标准是多少
    - 能不能用结余发奖金
    - 招待费超标能报销吗
    - 这笔钱该走哪个科目
    - 讲课费标准是多少
    - 办公费能不能买手机
    - 结余资金能不能用
- synonym: 统一门户
  examples: |
    - 门户
- lookup: module
  examples: |
    - 统一门户
    - 支付申请
    - 支付凭证
    - 支付
    - CA
- regex: document_number
  examples: |
    - ZF\\d{8,12}
"""


def write_small(folder: Path) -> Path:
    """The small training set as a file in ``folder``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.yml").write_text(SMALL, encoding="utf-8")
    return folder


class ScriptedInterpreter:
    """Understands as it was told to; honours the interpreter contract otherwise."""

    def __init__(self, name: str, behave: Callable[[str], Awaitable[Understanding]]) -> None:
        self._name = name
        self._behave = behave
        self.closed = 0

    @property
    def name(self) -> str:
        return self._name

    async def parse(self, text: str) -> Understanding:
        return await self._behave(text)

    async def close(self) -> None:
        self.closed += 1


def sure(text: str, intent: Intent = Intent.GREET, *, name: str = "scripted") -> Understanding:
    """An understanding with one certain intent."""
    return Understanding(text, intent, 1.0, ((intent, 1.0),), (), name)


async def unavailable(_text: str) -> Understanding:
    """The behaviour of an interpreter that is down."""
    raise InterpreterUnavailable(UnavailableReason.CONNECTION)


def rasa_answer(intent: str = "greet", **more: object) -> dict[str, object]:
    """An answer of Rasa's ``/model/parse``."""
    return {
        "text": "…",
        "intent": {"name": intent, "confidence": 0.9},
        "entities": [],
        "intent_ranking": [
            {"name": intent, "confidence": 0.9},
            {"name": "thanks", "confidence": 0.1},
        ],
        **more,
    }


Handler = Callable[[bytes], Awaitable[bytes]]


def http_response(body: bytes, *, status: int = 200, headers: str = "") -> bytes:
    """A whole HTTP/1.1 response."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return head.encode() + body


def answering(content: object) -> Handler:
    """A server that gives every request this JSON."""

    async def respond(_request: bytes) -> bytes:
        return http_response(json.dumps(content).encode())

    return respond


@asynccontextmanager
async def fake_rasa(handler: Handler, heads: list[bytes] | None = None) -> AsyncIterator[str]:
    """A real socket that speaks just enough HTTP; yields its address.

    ``handler`` gets the request's body and returns the bytes to send, which may be anything.
    ``heads`` collects what came before the bodies.
    """

    callers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if heads is not None:
                    heads.append(head)
                lengths = [line for line in head.split(b"\r\n") if b"ontent-" in line]
                length = next((int(x.split(b":")[1]) for x in lengths if b"ength" in x), 0)
                writer.write(await handler(await reader.readexactly(length)))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            callers.discard(writer)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in callers:
            writer.transport.abort()
