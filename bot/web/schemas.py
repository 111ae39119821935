"""The API's shapes. Pydantic at the edge only."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.conversations.message_repository import Shown

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
ClientId = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
]

WidgetKey = Annotated[
    str, Field(max_length=40, description="The host page's widget key; a proof must be for it.")
]


class UserIn(BaseModel):
    """What the host page says of the person. Unverified: shown to engineers as such."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)] | None = None
    unit: Short | None = None
    region: Annotated[str, StringConstraints(max_length=80)] | None = None
    audience: Annotated[str, StringConstraints(max_length=200)] | None = None
    phone: Annotated[str, StringConstraints(max_length=40)] | None = None


class ConversationIn(BaseModel):
    """Open a conversation."""

    channel: Literal["web"] = "web"
    widget: WidgetKey = ""
    user: UserIn = Field(default_factory=UserIn)
    identity: str | None = Field(
        default=None,
        max_length=4_000,
        description="A proof that the host page's server has signed; what it says counts alone.",
    )


class IdentityIn(BaseModel):
    """A proof for a conversation that began without one."""

    widget: WidgetKey = ""
    identity: str = Field(max_length=4_000)


class ConversationOut(BaseModel):
    """``token`` is told once; it opens this conversation only."""

    conversation_id: str
    token: str


class ActionIn(BaseModel):
    """A button of the widget."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[
        "choose",
        "none_of_these",
        "helpful",
        "unhelpful",
        "human",
        "rate",
        "confirm",
        "reopen",
        "follow",
    ]
    answer_id: str = Field(default="", max_length=64)
    seq: int = Field(default=0, ge=0, le=2_000_000_000)
    stars: int = Field(default=0, ge=0, le=5)
    comment: str = Field(default="", max_length=1000)
    number: str = Field(default="", max_length=24)


class MessageIn(BaseModel):
    """A user's message. The same ``client_msg_id`` is the same message."""

    client_msg_id: ClientId
    text: str
    action: ActionIn | None = None


class SeenIn(BaseModel):
    """How far the user's side has received the conversation, and shown it on a visible page."""

    received: Annotated[int, Field(ge=0, le=2_000_000_000)]
    read: Annotated[int, Field(ge=0, le=2_000_000_000)] = 0


class MessageAccepted(BaseModel):
    """The message rests in the database."""

    message_id: str
    seq: int


class MessageOut(BaseModel):
    """One message as everybody in the conversation sees it."""

    seq: int
    sender: str
    kind: str
    text: str
    data: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, message: Shown) -> "MessageOut":
        """From a row; what only the server needs stays behind."""
        data = {k: v for k, v in message.data.items() if k not in ("action", "masked")}
        if message.client_msg_id:
            data["client_msg_id"] = message.client_msg_id
        return cls(
            seq=message.seq,
            sender=message.sender,
            kind=message.kind,
            text=message.text,
            data=data,
            created_at=message.created_at,
        )


class MessagesOut(BaseModel):
    """Messages after a sequence number, and who speaks now."""

    owner: str
    messages: list[MessageOut]


class LoginIn(BaseModel):
    """Name and password."""

    username: Annotated[str, StringConstraints(max_length=200)]
    password: Annotated[str, StringConstraints(max_length=1000)]


class LoginOut(BaseModel):
    """A bearer token for programs."""

    token: str


class PasswordIn(BaseModel):
    """The password now, and the one from now on."""

    old: Annotated[str, StringConstraints(max_length=1000)]
    new: Annotated[str, StringConstraints(max_length=1000)]


class TextIn(BaseModel):
    """A reply or a note."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    client_msg_id: ClientId | None = None


class ResolveIn(BaseModel):
    """What was wrong, and what was done."""

    cause: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000)]
    solution: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000)
    ]
    #: Whether an answer is to be drafted of it.
    draft: bool = False
