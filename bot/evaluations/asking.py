"""Evaluates the answers of a workspace: asks every question as a conversation would, and counts.

Search goes through the live index and `Retriever.search`, understanding through the live
interpreter, triage through `Thinker.think`; nothing is asked in another way than users are. It
only reads. Refuses to train, to tune, and to say whether a figure is good enough.
"""

import asyncio
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.conversations.greeting import LOCAL
from bot.conversations.thinking import Snapshot, Thinker
from bot.dialogue import queries
from bot.dialogue.state import DialogueState
from bot.errors import EvaluationEmpty
from bot.evaluations.labels import entity_figures, intent_figures, triage_figures
from bot.evaluations.misses import WORST, explain, miss_of, order_of
from bot.evaluations.records import (
    EntityFigures,
    EvaluationReport,
    LabelFigures,
    Miss,
    RankingFigures,
    RetrievalGroup,
    RetrievalReport,
    Suite,
    WorstQuery,
)
from bot.evaluations.suites import (
    AskedGroup,
    Material,
    intent_examples,
    retrieval_groups,
    triage_cases,
)
from bot.knowledge import LIMIT
from bot.tables import Owner
from kb.errors import IndexMissing
from kb.evaluate import Question, Ranked, Report, evaluate
from kb.evaluation_baseline import pair_bm25
from kb.evaluation_curves import Outcome, calibration_error, coverage_precision, reliability
from kb.fresh_index import FreshIndex
from kb.golden import OneIndex
from kb.retriever import Retriever, SearchResult
from kb.search_index import SearchIndex
from nlu.types import Interpreter, Understanding
from store.base import new_id


@dataclass(frozen=True, slots=True)
class Live:
    """The parts that answer users, as the composition root made them."""

    index: FreshIndex
    interpreter: Interpreter
    thinker: Thinker


@dataclass(frozen=True, slots=True)
class Answered:
    """One question and what search made of it; ranks count from 1, 0 is absent."""

    group: str
    question: Question
    result: SearchResult
    rank: int
    baseline_rank: int

    @property
    def score(self) -> float:
        """The probability that decides the band."""
        return self.result.probabilities[0] if self.result.probabilities else 0.0

    @property
    def outcome(self) -> Outcome:
        """For curves."""
        return Outcome(self.score, self.rank == 1, bool(self.question.answers))


async def evaluate_workspace(
    live: Live, material: Material, suites: Sequence[Suite], *, actor: str, now: datetime
) -> EvaluationReport:
    """Ask everything of these suites.

    Raises IndexMissing when search is to be evaluated and there is no index, EvaluationEmpty when
    nothing of the material can be asked here.
    """
    started = time.monotonic()
    index = await asyncio.to_thread(_current, live.index)
    if index is None and Suite.RETRIEVAL in suites:
        raise IndexMissing(material.source)
    retrieval: RetrievalReport | None = None
    intents: tuple[LabelFigures, ...] = ()
    entities: tuple[EntityFigures, ...] = ()
    triage: tuple[LabelFigures, ...] = ()
    if index is not None and Suite.RETRIEVAL in suites:
        today = now.astimezone(LOCAL).date()
        retrieval = await asyncio.to_thread(evaluate_retrieval, index, material, today)
    if Suite.NLU in suites:
        intents, entities = await evaluate_understanding(live.interpreter, material)
    if Suite.TRIAGE in suites:
        triage = await evaluate_triage(live.thinker, material, now)
    if retrieval is None and not intents and not triage:
        raise EvaluationEmpty
    calibration = live.index.calibration
    revision = index.manifest.revision if index else ""
    return EvaluationReport(
        id=new_id(),
        at=now.isoformat(),
        actor=actor,
        source=material.source,
        suites=tuple(suites),
        questions=material.digest,
        revision=revision,
        answers=len(index.published) if index else 0,
        answer_cut=index.fusion.cuts.answer if index else 0.0,
        offer_cut=index.fusion.cuts.offer if index else 0.0,
        seconds=time.monotonic() - started,
        calibrated_at=calibration.at if calibration else "",
        is_stale=calibration is not None and _build(calibration.revision) != _build(revision),
        retrieval=retrieval,
        intents=intents,
        entities=entities,
        triage=triage,
    )


def evaluate_retrieval(
    index: SearchIndex, material: Material, today: date
) -> RetrievalReport | None:
    """Search every question of the material; None when the index holds none of the answers.

    The index is held while asking: a change that is published meanwhile cannot split the figures.
    """
    published = index.published
    asked = [group for table in material.tables for group in retrieval_groups(table, published)]
    if not asked:
        return None
    retriever, plain = Retriever(OneIndex(index)), pair_bm25(published)
    groups, answered = [], list[Answered]()
    for group in asked:
        baseline = {one.text: plain(one.text) for one in group.questions}
        found = [
            _ask(retriever, group.name, one, baseline[one.text], today) for one in group.questions
        ]
        groups.append(_group(group, found, baseline))
        answered += found
    outcomes = [one.outcome for one in answered]
    return RetrievalReport(
        groups=tuple(groups),
        curve=coverage_precision(outcomes),
        reliability=reliability(outcomes),
        calibration_error=calibration_error(outcomes),
        worst=_worst(index, answered),
        passed={_digest(one.question.text): _miss(one) is None for one in answered},
    )


def search_live(retriever: Retriever, text: str, today: date) -> SearchResult:
    """What a conversation that begins with this message searches first."""
    planned = queries.plan(DialogueState(), text)[0].text
    return retriever.search(planned, limit=LIMIT, today=today, region=None)


def _ask(
    retriever: Retriever, group: str, question: Question, baseline: Ranked, today: date
) -> Answered:
    result = search_live(retriever, question.text, today)
    ids = [candidate.answer_id for candidate in result.candidates]
    return Answered(
        group, question, result, _rank(ids, question), _rank(baseline.answers, question)
    )


def _rank(ids: Sequence[str], question: Question) -> int:
    return next((place for place, one in enumerate(ids, 1) if one in question.answers), 0)


def _group(
    group: AskedGroup, found: Sequence[Answered], baseline: Mapping[str, Ranked]
) -> RetrievalGroup:
    ours = evaluate({one.question.text: _ranked(one) for one in found}.__getitem__, group.questions)
    plain = evaluate(baseline.__getitem__, group.questions)
    foreign = [one for one in found if not one.question.answers]
    direct = [one for one in found if one.result.band.value == "answer"]
    refused = sum(one.result.band.value != "answer" for one in foreign)
    return RetrievalGroup(
        name=group.name,
        answerable=len(found) - len(foreign),
        unanswerable=len(foreign),
        unmatched=group.unmatched,
        ours=_figures(ours),
        baseline=_figures(plain),
        coverage=ours.coverage,
        precision=ours.precision if direct else None,
        refusal=refused / len(foreign) if foreign else None,
    )


def _ranked(one: Answered) -> Ranked:
    """Scored by the probability that the band is made of."""
    candidates = one.result.candidates
    return Ranked(
        tuple(candidate.answer_id for candidate in candidates),
        one.result.probabilities,
        one.result.band,
    )


def _figures(report: Report) -> RankingFigures:
    auroc = next(iter(report.auroc.values()), None)
    return RankingFigures(report.hit1, report.hit3, report.hit5, report.mrr, auroc)


def _miss(one: Answered) -> Miss | None:
    return miss_of(one.question, one.rank, one.result.band)


def _worst(index: SearchIndex, answered: Sequence[Answered]) -> tuple[WorstQuery, ...]:
    missed = [(one, miss) for one in answered if (miss := _miss(one)) is not None]
    missed.sort(key=lambda pair: (order_of(pair[1]), -pair[0].score))
    return tuple(
        explain(
            index,
            one.question,
            one.result,
            group=one.group,
            miss=miss,
            rank=one.rank,
            baseline_rank=one.baseline_rank,
        )
        for one, miss in missed[:WORST]
    )


async def evaluate_understanding(
    interpreter: Interpreter, material: Material
) -> tuple[tuple[LabelFigures, ...], tuple[EntityFigures, ...]]:
    """Ask the interpreter every message whose intent is known."""
    intents, entities = [], []
    for name, examples in intent_examples(material).items():
        answers: list[Understanding] = []
        for example in examples:
            answers.append(await interpreter.parse(example.text))
            await asyncio.sleep(0)
        given = [str(answer.intent) for answer in answers]
        intents.append(intent_figures(name, [e.intent for e in examples], given))
        if any(example.entities for example in examples):
            entities.append(entity_figures(name, examples, answers))
    return tuple(intents), tuple(entities)


async def evaluate_triage(
    thinker: Thinker, material: Material, now: datetime
) -> tuple[LabelFigures, ...]:
    """Let the dialogue think about every message whose severity is known, as its first message."""
    figures: list[LabelFigures] = []
    for name, cases in triage_cases(material).items():
        judged = []
        for case in cases:
            thought = await thinker.think(first_message(case.text), now)
            if thought.triage is None:
                raise TypeError("the thinker judged nothing")
            judged.append(thought.triage)
        figures += triage_figures(name, cases, judged)
    return tuple(figures)


def first_message(text: str) -> Snapshot:
    """A conversation that has just begun with this message; it is nowhere recorded."""
    return Snapshot(
        conversation_id="",
        channel="",
        user_id="",
        region=None,
        owner=Owner.BOT,
        owner_version=0,
        state=DialogueState(),
        seq=1,
        text=text,
        action=None,
        masked=frozenset(),
    )


def _build(revision: str) -> str:
    """The build below what was published since; that alone needs no new calibration."""
    return revision.partition("+")[0]


def _current(index: FreshIndex) -> SearchIndex | None:
    try:
        return index.current()
    except IndexMissing:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
