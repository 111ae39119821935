"""A release note names functions; the answers about them are looked at again.

Finding is pure and only proposes: a person chooses which answers are flagged.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from kb import stale_repository as rows
from kb.answer_versions import Author
from kb.errors import AnswerInvalid
from kb.stale import StaleReason
from kb.stale_tables import ReleaseNoteRow, StaleMarkRow
from kb.stored_text import storable
from store import audit
from store.base import new_id

MAX_NOTE = 50_000
MAX_LINES = 1_000
#: Shorter names stand in too many sentences to mean a function.
_SHORTEST = 3
_LONGEST = 30
#: A name that stands in more answers than this share of all names none of them.
_EVERYWHERE = 0.25
_FEW = 20


@dataclass(frozen=True, slots=True)
class Known:
    """An answer as it is looked through; `where` are the headings of its source section."""

    article_id: str
    title: str
    module: str
    questions: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


class Closeness(StrEnum):
    """Where the name stands, the surest first."""

    QUESTION = "question"  # in the answer's own question or its source section
    SIMILAR = "similar"  # only in another way of asking
    MODULE = "module"  # only its module was named


@dataclass(frozen=True, slots=True)
class Proposal:
    """An answer that may be concerned: by which names, from which line of the note."""

    answer: Known
    names: tuple[str, ...]
    line: str
    closeness: Closeness
    likeness: float = 0.0

    @property
    def is_close(self) -> bool:
        """Whether it would be flagged if nobody said otherwise."""
        return self.closeness is Closeness.QUESTION


def proposals(
    note: str, answers: Sequence[Known], names: Iterable[str], fold: Callable[[str], str]
) -> tuple[Proposal, ...]:
    """Answers whose functions the note names, the surest and those most like the line first.

    `names` are functions known from elsewhere (headings, the lexicon); modules are known from the
    answers. `fold` brings every spelling of a term to one form.
    """
    modules = {fold(one.module) for one in answers if one.module}
    known = {name for name in map(fold, names) if _SHORTEST <= len(name) <= _LONGEST} | modules
    lines = [line.strip() for line in note.splitlines() if line.strip()][:MAX_LINES]
    texts = {one.article_id: _folded(one, fold) for one in answers}
    named = _named_lines(lines, known - {""}, fold)
    holders = _holders(named, texts)
    found = filter(None, (_proposal(one, named, holders, fold) for one in answers))
    order = list(Closeness)
    return tuple(sorted(found, key=lambda one: (order.index(one.closeness), -one.likeness)))


def _folded(answer: Known, fold: Callable[[str], str]) -> str:
    # Folded in one piece: line ends keep the texts apart, and folding is the slow part.
    return fold("\n".join((answer.title, *answer.questions, *answer.where)))


def _named_lines(
    lines: Sequence[str], known: Iterable[str], fold: Callable[[str], str]
) -> Mapping[str, str]:
    """The first line that has each name; a name within a longer one of that line is not meant."""
    ordered = sorted(known, key=lambda name: (-len(name), name))
    found: dict[str, str] = {}
    for line in lines:
        rest = fold(line)
        for name in ordered:
            if name in rest:
                found.setdefault(name, line)
                rest = rest.replace(name, "\n")
    return found


def _holders(named: Mapping[str, str], texts: Mapping[str, str]) -> Mapping[str, frozenset[str]]:
    """Answers that have each name; names that stand nearly everywhere are dropped."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in named:
        found[name] = {article_id for article_id, text in texts.items() if name in text}
    most = max(_FEW, len(texts) * _EVERYWHERE)
    return {name: frozenset(ids) for name, ids in found.items() if len(ids) <= most}


def _proposal(
    answer: Known,
    named: Mapping[str, str],
    holders: Mapping[str, frozenset[str]],
    fold: Callable[[str], str],
) -> Proposal | None:
    close = [name for name in named if answer.article_id in holders.get(name, ())]
    if close:
        own = fold("\n".join((answer.title, *answer.where)))
        line = named[max(close, key=lambda name: (name in own, len(name)))]
        sure = any(name in own for name in close)
        closeness = Closeness.QUESTION if sure else Closeness.SIMILAR
        return Proposal(answer, tuple(close), line, closeness, _likeness(fold(line), own))
    module = fold(answer.module)
    if module and module in named:
        return Proposal(answer, (answer.module,), named[module], Closeness.MODULE)
    return None


def _likeness(line: str, own: str) -> float:
    """The share of the line's character pairs that the answer's question has."""
    pairs = {line[at : at + 2] for at in range(len(line) - 1)}
    return sum(pair in own for pair in pairs) / len(pairs) if pairs else 0.0


async def flag(
    session: AsyncSession,
    *,
    name: str,
    note: str,
    chosen: Mapping[str, str],
    who: Author,
    now: datetime,
) -> ReleaseNoteRow:
    """Keep the note and doubt the chosen answers, by id with the line that names them.

    An answer that the same note already put in doubt stays so once. Raises AnswerInvalid.
    """
    name, note = " ".join(storable(name).split()), storable(note).strip()
    for field, text, longest in (("name", name, 200), ("note", note, MAX_NOTE)):
        if not text:
            raise AnswerInvalid(field, "empty")
        if len(text) > longest:
            raise AnswerInvalid(field, "too_long")
    if not chosen:
        raise AnswerInvalid("chosen", "empty")
    row = ReleaseNoteRow(
        id=new_id(), name=name, text=note, author_id=who.id, author=who.name, created_at=now
    )
    session.add(row)
    await session.flush()
    known = {one.id for one in await rows.in_use(session)}
    flagged = [article_id for article_id in chosen if article_id in known]
    session.add_all(_mark(article_id, row.id, chosen[article_id], now) for article_id in flagged)
    await audit.record(
        session,
        actor=f"staff:{who.id}",
        action="release_note.flagged",
        subject=f"release_note:{row.id}",
        detail={"name": name, "answers": flagged},
        now=now,
    )
    return row


def _mark(article_id: str, note_id: str, line: str, now: datetime) -> StaleMarkRow:
    return StaleMarkRow(
        id=new_id(),
        article_id=article_id,
        reason=StaleReason.RELEASE_NOTE.value,
        note_id=note_id,
        evidence=storable(line)[:500],
        since=now,
        cleared_by="",
        cleared_how="",
    )
