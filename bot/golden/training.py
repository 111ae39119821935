"""Golden questions asked of a newly trained index before it takes the place of the old one.

Refuses an index that makes too much worse, unless somebody gives a reason; either is kept.
"""

from dataclasses import asdict, dataclass, field
from datetime import date

from bot.clock import Clock
from bot.conversations.greeting import LOCAL
from bot.errors import GoldenGateClosed
from bot.golden import repository as rows
from bot.golden.service import Gate, golden_question, summary_json
from bot.golden.tables import GoldenQuestionRow, GoldenRunRow
from kb.errors import IndexMismatch, IndexMissing
from kb.fresh_index import FreshIndex
from kb.golden import Comparison, GoldenResult, OneIndex, ask, compare
from kb.search_index import SearchIndex
from store import audit
from store.session import Database

CAUSE = "train"


@dataclass(slots=True)
class TrainingGate:
    """Stands between a build and everybody who searches. Called from the training's thread."""

    questions: dict[str, GoldenQuestionRow]
    live: FreshIndex
    limit: float
    override: str
    today: date
    gate: Gate | None = None
    results: dict[str, GoldenResult] = field(default_factory=dict)
    revision: str = ""

    def admit(self, index: SearchIndex) -> None:
        """Ask the old index and the new one; raises GoldenGateClosed without a reason given."""
        if not self.questions:
            return
        try:
            before = self.live.current()
        except (IndexMissing, IndexMismatch, OSError, ValueError, KeyError):
            return  # The first build, or one of another format: nothing to be worse than.
        asked = [golden_question(one) for one in self.questions.values()]
        old = ask(OneIndex(before), asked, today=self.today)
        self.results = ask(OneIndex(self.live.as_searched(index)), asked, today=self.today)
        self.revision = index.manifest.revision
        self.gate = Gate(self.questions, compare(asked, old, self.results), self.limit)
        if self.gate.blocked and not self.override:
            found = self.gate.comparison
            raise GoldenGateClosed(self.gate.texts(found.broken), found.worst_drop())

    @property
    def found(self) -> Comparison | None:
        """What was found; None where there was nothing to compare."""
        return self.gate.comparison if self.gate else None

    async def keep(self, database: Database, clock: Clock) -> None:
        """Keep what was found, where the page of golden questions and the audit trail show it."""
        if self.gate is None:
            return
        stopped = self.gate.blocked and not self.override
        counted = summary_json(self.gate.comparison.after)
        async with database.transaction() as session:
            row = GoldenRunRow(
                at=clock(),
                revision=self.revision[:100],
                cause=CAUSE,
                actor=CAUSE,
                blocked=stopped,
                override=self.override,
                summary=counted,
                results={key: asdict(one) for key, one in self.results.items()},
            )
            session.add(row)
            await session.flush()
            detail = {"blocked": stopped, "override": self.override, **counted}
            await audit.record(
                session,
                actor="system",
                action="golden.train",
                subject=f"golden:{row.id}",
                detail=detail,
                now=clock(),
            )


async def training_gate(
    database: Database, live: FreshIndex, clock: Clock, *, limit: float, override: str
) -> TrainingGate:
    """The gate with the golden questions of the workspace."""
    async with database.reading() as session:
        questions = {one.id: one for one in await rows.questions(session)}
    today = clock().astimezone(LOCAL).date()
    return TrainingGate(questions, live, limit, override.strip()[:500], today)
