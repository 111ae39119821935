"""The assembled product over real HTTP, with a small knowledge base of its own.

The content is written here so that tests know every word of it; the parts are the real ones.
"""

import asyncio
import hashlib
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image as Picture

from bot import migrate
from bot.accounts.service import add_staff
from bot.app import create_app
from bot.assembly import Services, assemble
from bot.cli.serving import KEEP_ALIVE_S
from bot.learning import negatives
from bot.settings import Settings, data_dir
from bot.tables import Role
from bot.workspace import Workspace
from kb.lexicon import load_lexicon
from kb.sections import FaqEntry, FaqTable, Guide, Image, Paragraph, Section, Step
from kb.service import load_corpus, store_faq, store_guide
from kb.train import build_index
from store.base import new_id
from store.session import Database
from tests.listening import listening

PASSWORD = "a good long password"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)

ENTRIES = (
    ("支付申请送审后怎么撤回", "ZF05", "支付申请|撤回|撤销送审|拿回来|收回来重改", "answer"),
    ("UKey插上没有反应怎么办", "CA01", "U盾没反应|电脑不认锁|ukey识别不到|插了key没动静", "answer"),
    ("电子票据开错了怎么冲红", "PJ01", "票开错了要红冲|电子票冲红|财政票据作废", "answer"),
    ("指标可用余额不足怎么处理", "ZB03", "余额不够付不了|可用指标不足|额度不足尚缺", "answer"),
    (
        "登录提示用户名或密码错误",
        "LG01",
        "密码不对进不去|门户登不上说密码错|登录密码错误",
        "answer",
    ),
    ("打印没反应提示没装打印控件", "BR04", "打印不出来|打印控件怎么装|lodop没装", "answer"),
    ("门户的菜单是空的", "LG03", "菜单没了|登录后一个菜单都没有|菜单空白", "collect"),
    ("公务卡怎么还款", "GW02", "公务卡还钱|刷了公务卡怎么报|还卡", "answer"),
    ("年终结转结余怎么办理", "JZ01", "今年剩的钱怎么结转|结转到明年|年底结余处理", "answer"),
    ("工资统发人员变动怎么报", "GZ02", "新进人员工资怎么加|人员调走工资停发|工资变动", "answer"),
)


@dataclass
class Product:
    """A running product: its parts, its address, and a client."""

    services: Services
    address: str
    client: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    async def open(self, **user: str) -> "Chat":
        """A new conversation of a user."""
        answer = await self.client.post("/api/v1/conversations", json={"user": user})
        assert answer.status_code == 201, answer.text
        body = answer.json()
        return Chat(self, body["conversation_id"], body["token"])

    async def settle(self) -> None:
        """Wait until every message is handled."""
        await self.services.conversations.settle()

    async def staff(self, username: str = "chen") -> dict[str, str]:
        """Headers of a logged-in engineer."""
        if username not in self.tokens:
            body = {"username": username, "password": PASSWORD}
            answer = await self.client.post("/api/v1/auth/login", json=body)
            assert answer.status_code == 200, answer.text
            self.tokens[username] = answer.json()["token"]
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    async def desk(self, verb: str, number: str, who: str = "chen", **body: str) -> httpx.Response:
        """An engineer's verb on a ticket."""
        return await self.client.post(
            f"/api/v1/tickets/{number}/{verb}", json=body or None, headers=await self.staff(who)
        )


@dataclass
class Chat:
    """A user's side of one conversation."""

    product: Product
    id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def send(
        self, text: str, *, client_msg_id: str | None = None, **action: Any
    ) -> httpx.Response:
        """Send a message, without waiting for the answer."""
        body: dict[str, Any] = {"client_msg_id": client_msg_id or new_id(), "text": text}
        if action:
            body["action"] = action
        return await self.product.client.post(
            f"/api/v1/conversations/{self.id}/messages", json=body, headers=self.headers
        )

    async def say(self, text: str, **action: Any) -> list[dict[str, Any]]:
        """Send a message and return what was said to it."""
        answer = await self.send(text, **action)
        assert answer.status_code == 202, answer.text
        await self.product.settle()
        messages = await self.read(after=answer.json()["seq"])
        return [message for message in messages if message["sender"] != "user"]

    async def read(self, after: int = 0) -> list[dict[str, Any]]:
        """Everything after a sequence number."""
        return (await self.state(after))["messages"]

    async def state(self, after: int = 0) -> dict[str, Any]:
        """Owner and messages."""
        answer = await self.product.client.get(
            f"/api/v1/conversations/{self.id}/messages",
            params={"after": after},
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def picture() -> bytes:
    """A small PNG."""
    buffer = BytesIO()
    Picture.new("RGB", (320, 120), "#dce8f6").save(buffer, "PNG")
    return buffer.getvalue()


def guide() -> Guide:
    """A guide with steps and a picture, as the importer would give it."""
    content = picture()
    sha = hashlib.sha256(content).hexdigest()
    image = Image(sha, "image/png", "screen.png", "图1 退付申请录入", 320, 120)
    refund = Section(
        heading="一、退付申请录入",
        number="一、",
        blocks=(
            Paragraph("多缴、误缴的非税收入由执收单位在退付管理中录入退付申请。"),
            Step("1.", "进入【非税管理】—【退付管理】，点击【新增】。"),
            image,
            Step("2.", "选择原缴款书，填写退付金额和退付原因，上传缴款人申请。"),
            Step("3.", "点击【送审】，由主管部门和财政部门依次审核。"),
        ),
    )
    seal = Section(
        heading="二、执收单位编码申请",
        number="二、",
        blocks=(Paragraph("执收单位编码由财政部门统一赋码，单位提交书面申请和批文。"),),
    )
    return Guide(
        title="非税收入退付操作手册",
        fmt="docx",
        sections=(refund, seal),
        version="V1.1",
        issued="2026-09-01",
        images={sha: content},
    )


def faq() -> FaqTable:
    """The FAQ table."""
    return FaqTable(
        "常见问题",
        tuple(
            FaqEntry(
                question=question,
                similar=tuple(
                    f"{word}{tail}" for word in similar.split("|") for tail in ("", "怎么弄")
                ),
                answer=f"关于“{question}”：\n1. 先核对单据状态。\n2. 再按指引办理。（{ref}）",
                module="支付申请",
                ref=ref,
                category="权限账号" if kind == "collect" else "操作咨询",
                kind=kind,
            )
            for question, ref, similar, kind in ENTRIES
        ),
    )


async def prepare(settings: Settings, interpreter: Path) -> None:
    """Schema, staff, content and index of a workspace; `interpreter` is a trained one."""
    workspace = Workspace(settings.home)
    workspace.create()
    database = Database(settings.effective_database_url)
    await migrate.upgrade(database)
    async with database.transaction() as session:
        for name, shown in (("chen", "陈工"), ("lin", "林工")):
            await add_staff(
                session,
                username=name,
                password=PASSWORD,
                role=Role.ENGINEER,
                name=shown,
                post="一线工程师",
                now=NOW,
            )
        await store_faq(session, faq(), source_name="faq.csv", publish=True, now=NOW)
        await store_guide(
            session,
            guide(),
            source_name="非税收入退付操作手册.docx",
            publish=True,
            now=NOW,
            media_dir=workspace.media,
        )
    async with database.reading() as session:
        corpus = await load_corpus(session)
    await database.dispose()
    shutil.copytree(interpreter, workspace.interpreter)
    await asyncio.to_thread(
        build_index,
        settings.home,
        corpus,
        settings.kb,
        lexicon=load_lexicon(data_dir() / "lexicon"),
        negatives=negatives(),
        now=NOW,
    )


def make_settings(home: Path, database_url: str = "", **nlu: Any) -> Settings:
    """Settings that read nothing from the environment of the machine."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own switch
        home=home,
        database_url=database_url,
        nlu={"enabled": False, **nlu},
    )


def copy_workspace(template: Path, home: Path) -> None:
    """A prepared SQLite workspace of one's own, without preparing it again."""
    shutil.copytree(template, home)


def http_client(address: str) -> httpx.AsyncClient:
    """Trusts nobody's certificates: reading those of the world takes longer than most tests."""
    nobodys = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(base_url=address, timeout=20, trust_env=False, verify=nobodys)


@asynccontextmanager
async def serving(settings: Settings, **parts: Any) -> AsyncIterator[Product]:
    """The product on a free port of this machine."""
    services = assemble(settings, **parts)
    async with listening(
        create_app(services),
        lifespan="on",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEEP_ALIVE_S,
    ) as port:
        address = f"http://127.0.0.1:{port}"
        try:
            async with http_client(address) as client:
                yield Product(services, address, client)
        finally:
            # Its streams end before the server waits for them.
            services.live.close()
