"""From one message to the queries that are searched: follow-ups completed, several questions split.

Pure text work. Refuses to look anything up.
"""

import re
import unicodedata
from dataclasses import dataclass

from bot.dialogue.state import Awaiting, DialogueState

#: More questions than this in one message are answered by asking for one at a time.
MAX_QUESTIONS = 3
#: A follow-up is short: a longer message says itself what it is about.
MAX_FOLLOW_UP_CHARS = 14
#: What is searched of one message; the rest stays in the transcript.
MAX_QUERY_CHARS = 500
MIN_QUESTION_CHARS = 5

_LEANING = re.compile(
    r"^(那|那么|然后|接着|接下来|之后|再|还有呢|这个|这种|这样|它|上面|刚才|刚刚|前面|如果这样|嗰个|噉)"
)
_BACK_REFERENCE = re.compile(
    r"(这个|那个|这种|它|上面说的|刚才说的|嗰个|这步|那一步|第[一二三四五六七八九十\d]+步)"
)
_BREAK = re.compile(
    r"(?<=[？?！!。；;\n])|(?=(?:另外|还有一个问题|还有个问题|顺便问|再问一下|第[二三]个问题|还想问))"
)
_LEAD_IN = re.compile(
    r"^(另外|还有一个问题|还有个问题|还有|顺便问一?下?|再问一下|还想问一?下?|第[一二三]个问题)[是：:，,、]*"
)
_QUESTION = re.compile(
    r"(吗|么|呢|嘛|怎么|怎样|如何|什么|为什么|为啥|哪|几|多少|能不能|可不可以|是不是|有没有|可以|咋|"
    r"点样|点解|边度|系咪|得唔得|[？?])"
)


@dataclass(frozen=True, slots=True)
class Query:
    """One text to search. ``question`` is the user's own part of it."""

    text: str
    question: str


def plan(state: DialogueState, text: str) -> tuple[Query, ...]:
    """The queries for ``text``, in the order in which they should be answered.

    A reply to the bot's question and a short follow-up are searched together with what they
    lean on; several questions in one message are searched one by one.
    """
    text = text.strip()[:MAX_QUERY_CHARS]
    if state.awaiting in (Awaiting.CLARIFICATION, Awaiting.DESCRIPTION) and state.topic:
        return (Query(f"{state.topic} {text}", text),)
    parts = split_questions(text)
    if len(parts) > 1:
        return tuple(Query(part, part) for part in parts[:MAX_QUESTIONS])
    if state.topic and is_follow_up(text):
        return (Query(f"{state.topic} {text}", text), Query(text, text))
    return (Query(text, text),)


def is_follow_up(text: str) -> bool:
    """Whether ``text`` makes sense only together with what was said before it."""
    if len(text) > MAX_FOLLOW_UP_CHARS:
        return False
    return bool(_LEANING.search(text) or _BACK_REFERENCE.search(text))


def asks_on(state: DialogueState, text: str) -> bool:
    """Whether ``text`` goes on asking about the matter at hand, as short as it may be."""
    text = text.strip()
    return bool(state.topic) and is_follow_up(text) and bool(_QUESTION.search(text))


def split_questions(text: str) -> tuple[str, ...]:
    """The separate questions of one message; the whole text when it asks one thing only."""
    pieces = [_LEAD_IN.sub("", piece.strip()).strip() for piece in _BREAK.split(text)]
    questions = [
        piece for piece in pieces if len(piece) >= MIN_QUESTION_CHARS and _QUESTION.search(piece)
    ]
    return tuple(questions) if len(questions) > 1 else (text,)


def has_words(text: str) -> bool:
    """Whether there is anything to understand: at least one letter, digit or Han character.

    Texts of control characters and replacement signs only (a file pasted by mistake) have none.
    """
    letters = sum(unicodedata.category(char)[0] in "LN" for char in text)
    broken = sum(unicodedata.category(char) in ("Cc", "Co", "Cn") or char == "�" for char in text)
    line_breaks = text.count("\n") + text.count("\t") + text.count("\r")
    return letters > 0 and (broken - line_breaks) * 5 <= len(text)
