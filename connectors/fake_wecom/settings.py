"""What the pretended platform is like: its one application, its limits, what it supports."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the corporation. ``visible``: whether the application is shown to them.

    One who is not ``licensed`` is named in the answer and not sent to.
    """

    userid: str
    name: str
    department: int = 1
    visible: bool = True
    licensed: bool = True


@dataclass(slots=True)
class FakeSettings:
    """One corporation with one application. Tests change what the platform supports as it runs.

    Without ``members`` everybody exists. ``retries`` counts all tries of one callback; the
    vendor's documents name three, five seconds apart.
    """

    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    members: Mapping[str, Member] = field(default_factory=dict)
    departments: Mapping[int, str] = field(default_factory=dict)
    lifetime_s: int = 7_200
    per_minute: int = 30
    per_hour: int = 1_000
    takes_cards: bool = True
    takes_markdown: bool = True
    takes_updates: bool = True
    #: Older builds know `/cgi-bin/user/getuserinfo` only, and spell ``UserId``.
    old_oauth: bool = False
    #: Some builds answer 0 where the documents say 81013, and name the invalid ones beside it.
    all_invalid_code: int = 81013
    #: ``(paasid, token, prefix)`` of a gateway in front, or none.
    gateway: tuple[str, str, str] | None = field(default=None, repr=False)
    retries: int = 3
    retry_s: float = 5.0
    answer_within_s: float = 5.0
