"""Decisions about questions, faults, candidates and tickets. Pure."""

import re
from dataclasses import replace

from bot.dialogue import known_fault
from bot.dialogue.decision import (
    AddToTicket,
    Ask,
    ConfirmSolved,
    Decision,
    LeaveQueue,
    Offer,
    Part,
    RaiseTicket,
    RequestRating,
    Say,
    ShowAnswer,
    ShowTickets,
    UrgeTicket,
)
from bot.dialogue.state import Awaiting, DialogueState, Option
from bot.dialogue.turn import Band, Found, OpenTicket, Search, Turn
from nlu.types import EntityName, Intent
from store.vocabulary import Category, Severity

#: An offer of more than this is a list nobody reads.
MAX_OFFERED = 3
#: A message with fewer signs than this says too little for an engineer.
VAGUE_CHARS = 7
#: A report of its own says at least what fails and how.
REPORT_CHARS = 10
#: Without any open matter, only a message as clear as this is heard as "it is solved".
SURE_SOLVED = 0.8
_ORDINALS = {"一": 1, "二": 2, "两": 2, "三": 3, "1": 1, "2": 2, "3": 3, "①": 1, "②": 2, "③": 3}
_ORDINAL = re.compile(f"[{''.join(_ORDINALS)}]")
_LAST = re.compile(r"最后|末")


def answer(state: DialogueState, turn: Turn, *, topic: str) -> Decision:
    """Decide about a question or a fault by what the searches found."""
    fresh = state.about(topic)
    fault = known_fault.asked_about(turn)
    if fault is not None:
        return known_fault.show(state, turn, fault, topic=topic)
    if _is_major(turn):
        return _major(fresh, turn, topic)
    same = next((ticket for ticket in turn.tickets if ticket.same_problem), None)
    if len(turn.searches) > 1 and _separate(turn.searches):
        return _several(fresh, turn, topic)
    search = _best(turn.searches)
    if search.band is Band.ANSWER and search.top is not None:
        return _show(fresh, turn, search, topic)
    if same is not None:
        return Decision((AddToTicket(same.number, "ticket.same_problem"),), state, "same_problem")
    if turn.clarification is not None and turn.clarification.key not in state.asked:
        return _clarify(state, turn, topic)
    if search.band is Band.OFFER and search.found:
        return _offer(fresh, search)
    return _unanswered(state, turn, topic)


def _separate(searches: tuple[Search, ...]) -> bool:
    """Whether the searches are for different questions rather than two readings of one."""
    return not any(
        other.query.endswith(f" {search.query}")
        for search in searches
        for other in searches
        if other is not search
    )


def _best(searches: tuple[Search, ...]) -> Search:
    """The search to go by: the surer band first, then the higher score, then the earlier."""
    order = {Band.ANSWER: 2, Band.OFFER: 1, Band.NONE: 0}
    if not searches:
        return Search("", Band.NONE)
    return max(searches, key=lambda s: (order[s.band], s.top.score if s.top else 0.0))


def _options(found: tuple[Found, ...], tried: tuple[str, ...] = ()) -> tuple[Option, ...]:
    seen: dict[str, Option] = {}
    for one in found:
        if one.answer_id not in tried:
            seen.setdefault(one.title, Option(one.answer_id, one.title))
    return tuple(seen.values())


def _show(state: DialogueState, turn: Turn, search: Search, topic: str) -> Decision:
    top = search.found[0]
    if top.collect or _is_for_the_bureau(turn, top):
        category = Category.POLICY if _is_for_the_bureau(turn, top) else _category(top)
        ticket = RaiseTicket(
            problem=topic,
            reason="collect",
            category=category,
            triage=turn.triage,
            collect=top.answer_id,
        )
        return _with_severity_question(state, turn, ticket, "collect")
    remaining = _options(search.found[1:])[:MAX_OFFERED]
    shown = replace(state, answer_id=top.answer_id, tried=(top.answer_id,), remaining=remaining)
    return Decision((ShowAnswer(top.answer_id),), shown, "answered")


def _category(found: Found) -> Category | None:
    try:
        return Category(found.category)
    except ValueError:
        return None


def _is_for_the_bureau(turn: Turn, top: Found) -> bool:
    return top.collect and (
        turn.understanding.intent is Intent.POLICY_QUESTION or top.category == Category.POLICY
    )


def _several(state: DialogueState, turn: Turn, topic: str) -> Decision:
    """Answer each question of one message; what has no answer becomes one ticket."""
    parts: list[Part] = [Say("answer.several", (("count", str(len(turn.searches))),))]
    open_questions: list[str] = []
    answered: list[str] = []
    for search in turn.searches:
        top = search.top
        if top is not None and search.band is Band.ANSWER and not top.collect:
            parts.append(ShowAnswer(top.answer_id))
            answered.append(top.answer_id)
        elif search.band is Band.OFFER and search.found:
            parts.append(Offer(_options(search.found)[:MAX_OFFERED], "offer.for_question"))
        else:
            open_questions.append(search.query)
    if open_questions:
        problem = "\n".join(open_questions)
        parts.append(RaiseTicket(problem, "unanswered_part", triage=turn.triage))
    shown = replace(state, topic=topic, tried=tuple(answered))
    return Decision(tuple(parts), shown, "several")


def _offer(state: DialogueState, search: Search) -> Decision:
    options = _options(search.found)
    offered = replace(state, offered=options[:MAX_OFFERED], remaining=options[MAX_OFFERED:])
    return Decision((Offer(options[:MAX_OFFERED], "offer.lead"),), offered, "offered")


def _clarify(state: DialogueState, turn: Turn, topic: str) -> Decision:
    pair = turn.clarification
    if pair is None:
        raise ValueError("nothing to clarify")
    asking = state.about(topic).waiting_for(Awaiting.CLARIFICATION, *state.asked, pair.key)
    return Decision((Ask(text=pair.question, options=pair.options),), asking, "clarify")


def _unanswered(state: DialogueState, turn: Turn, topic: str) -> Decision:
    """Nothing fits: ask once what it is about when the message says too little, else a ticket."""
    if "describe" not in state.asked and _is_vague(turn):
        asking = state.about(topic).waiting_for(Awaiting.DESCRIPTION, *state.asked, "describe")
        return Decision((Ask(key="ask.describe"),), asking, "vague")
    category = None
    if turn.understanding.intent is Intent.POLICY_QUESTION:
        category = Category.POLICY
    elif turn.understanding.intent is Intent.SUGGEST_IMPROVEMENT:
        category = Category.REQUIREMENT
    ticket = RaiseTicket(
        problem=topic,
        reason="no_answer",
        queue=category is not Category.REQUIREMENT,
        category=category,
        triage=turn.triage,
    )
    return _with_severity_question(state.about(topic), turn, ticket, "no_answer")


def _is_vague(turn: Turn) -> bool:
    named = turn.understanding.values(EntityName.MODULE) or turn.understanding.values(
        EntityName.ERROR_TEXT
    )
    return not named and len(re.sub(r"\W", "", turn.text)) < VAGUE_CHARS


def _is_major(turn: Turn) -> bool:
    triage = turn.triage
    return triage is not None and triage.incident and triage.severity is Severity.MAJOR


def _major(state: DialogueState, turn: Turn, topic: str) -> Decision:
    """A major incident goes to people at once; a known first measure is shown beside it."""
    same = next((ticket for ticket in turn.tickets if ticket.same_problem), None)
    if same is not None:
        added = AddToTicket(same.number, "ticket.same_problem", turn.triage, queue=True)
        return Decision((added,), state, "same_problem")
    search = _best(turn.searches)
    first: tuple[Part, ...] = ()
    if search.band is Band.ANSWER and search.top is not None and not search.top.collect:
        first = (ShowAnswer(search.top.answer_id, lead="answer.meanwhile"),)
    ticket = RaiseTicket(problem=topic, reason="major", triage=turn.triage)
    decided = _with_severity_question(state, turn, ticket, "major")
    return replace(decided, parts=(*first, *decided.parts))


def _with_severity_question(
    state: DialogueState, turn: Turn, ticket: RaiseTicket, reason: str
) -> Decision:
    """The ticket is opened at once at the higher level; the deciding question goes with it."""
    if turn.triage is None or turn.triage.question is None or not ticket.queue:
        return Decision((ticket,), state, reason)
    asking = state.waiting_for(Awaiting.SEVERITY, turn.triage.question)
    return Decision((ticket, Ask(key=turn.triage.question)), asking, reason)


def show_chosen(state: DialogueState, turn: Turn) -> Decision:
    """The user picked a candidate by button."""
    if turn.chosen is None:
        return Decision((Say("offer.gone"),), state, "chosen_gone")
    return _show_one(state, turn, turn.chosen)


def _show_one(state: DialogueState, turn: Turn, found: Found) -> Decision:
    if found.collect:
        ticket = RaiseTicket(
            problem=state.topic or found.title,
            reason="collect",
            category=_category(found),
            triage=turn.triage,
            collect=found.answer_id,
        )
        return Decision((ticket,), replace(state, offered=()), "collect")
    rest = tuple(o for o in (*state.offered, *state.remaining) if o.answer_id != found.answer_id)
    shown = replace(
        state,
        answer_id=found.answer_id,
        tried=(*state.tried, found.answer_id),
        offered=(),
        remaining=rest[:MAX_OFFERED],
        topic=state.topic or found.title,
    )
    return Decision((ShowAnswer(found.answer_id),), shown, "chosen")


def choose(state: DialogueState, turn: Turn) -> Decision:
    """The user picked a candidate in words: 第二个, 选1, 最后那个."""
    position = _position(turn.text, len(state.offered))
    if position is None:
        return Decision((Offer(state.offered, "offer.again"),), state, "choice_unclear")
    option = state.offered[position - 1]
    collect = turn.chosen.collect if turn.chosen else False
    category = turn.chosen.category if turn.chosen else ""
    return _show_one(state, turn, Found(option.answer_id, option.title, 1.0, collect, category))


def _position(text: str, count: int) -> int | None:
    if _LAST.search(text):
        return count
    found = _ORDINAL.search(text)
    if found is None:
        return None
    position = _ORDINALS[found.group()]
    return position if 1 <= position <= count else None


def chosen_position(state: DialogueState, text: str) -> str | None:
    """The answer id that ``text`` picks from what is on offer, for looking it up beforehand."""
    position = _position(text, len(state.offered)) if state.offered else None
    return state.offered[position - 1].answer_id if position else None


def next_best(state: DialogueState, turn: Turn, reason: str) -> Decision:
    """The last answer or offer did not help: offer what is left once, then open a ticket."""
    remaining = tuple(o for o in state.remaining if o.answer_id not in state.tried)
    own = next((ticket for ticket in turn.tickets if ticket.same_conversation), None)
    if remaining and state.misses == 0:
        shown = remaining[:MAX_OFFERED]
        left = replace(state, offered=shown, remaining=remaining[MAX_OFFERED:], misses=1)
        return Decision((Offer(shown, "offer.next_best"),), left, reason)
    if own is not None:
        added = AddToTicket(own.number, "ticket.still_unsolved", queue=True)
        return Decision((added,), state, reason)
    problem = state.topic or turn.text
    ticket = RaiseTicket(problem, reason, triage=turn.triage, incident=state.fault)
    return _with_severity_question(replace(state, offered=()), turn, ticket, reason)


def hand_off(state: DialogueState, turn: Turn) -> Decision:
    """A person was asked for: no hurdle, no questions first."""
    own = next((t for t in turn.tickets if t.same_conversation and not t.resolved), None)
    if own is not None:
        added = AddToTicket(own.number, "queue.joined", queue=True)
        return Decision((added,), state, "human_requested")
    problem = state.topic or turn.text
    ticket = RaiseTicket(problem, "human_requested", triage=turn.triage, incident=state.fault)
    return Decision((ticket,), state, "human_requested")


def about_tickets(state: DialogueState, turn: Turn, *, urging: bool) -> Decision:
    """Where the user's tickets stand; urging also reaches the engineer."""
    named = turn.understanding.values(EntityName.TICKET_NUMBER)
    wanted = tuple(t for t in turn.tickets if t.number in named) if named else turn.tickets
    if named and not wanted:
        return Decision((Say("ticket.unknown_number"),), state, "unknown_ticket")
    if not wanted:
        return Decision((Say("ticket.none_open"),), state, "no_ticket")
    if urging:
        first = wanted[0]
        return Decision((UrgeTicket(first.number), ShowTickets((first.number,))), state, "urged")
    numbers = tuple(ticket.number for ticket in wanted[:MAX_OFFERED])
    return Decision((ShowTickets(numbers, lead="ticket.status_lead"),), state, "ticket_status")


def queue_status(state: DialogueState, turn: Turn) -> Decision:
    """Asked while waiting: show the place in the queue, and pass pressure on."""
    own = _own(turn)
    if own is None:
        return Decision((Say("queue.patience"),), state, "queued")
    if turn.understanding.intent is Intent.URGE:
        return Decision((UrgeTicket(own.number), ShowTickets((own.number,))), state, "urged")
    return Decision((ShowTickets((own.number,), lead="queue.still"),), state, "queued")


def _own(turn: Turn) -> OpenTicket | None:
    return next((ticket for ticket in turn.tickets if ticket.same_conversation), None)


def add_to_ticket(state: DialogueState, turn: Turn) -> Decision:
    """The message belongs to the open ticket."""
    target = next((ticket for ticket in turn.tickets if not ticket.resolved), None)
    if target is None:
        return Decision((Say("queue.patience"),), state, "queued")
    return Decision((AddToTicket(target.number, "ticket.added", turn.triage),), state, "added")


def solved(state: DialogueState, turn: Turn) -> Decision:
    """The user's problem is over."""
    own = _own(turn)
    if own is not None:
        parts: tuple[Part, ...] = (ConfirmSolved(own.number), RequestRating(own.number))
        return Decision(parts, state.settled(), "solved")
    if state.topic or state.answer_id:
        return Decision((Say("talk.solved"), RequestRating()), state.settled(), "solved")
    return Decision((Say("talk.solved"),), state.settled(), "solved")


def is_another_matter(turn: Turn) -> bool:
    """Whether a report made while waiting tells of something else than the waiting ticket.

    A short one more likely adds to it: "全单位都这样" answers a question, it reports nothing new.
    """
    told = len(re.sub(r"\W", "", turn.text)) >= REPORT_CHARS
    return told and not any(ticket.same_problem for ticket in turn.tickets)


def is_open(state: DialogueState, turn: Turn) -> bool:
    """Whether there is anything that could have been solved; else the words mean something new."""
    sure = turn.understanding.confidence >= SURE_SOLVED
    return sure or bool(state.topic or state.answer_id or turn.tickets)


def leave_queue(state: DialogueState, turn: Turn) -> Decision:
    """The user stops waiting; the ticket stays and is worked on."""
    own = _own(turn)
    shown: tuple[Part, ...] = (ShowTickets((own.number,)),) if own else ()
    return Decision((LeaveQueue(), Say("queue.left"), *shown), state.settled(), "left_queue")


def is_new_question(turn: Turn) -> bool:
    """Whether the message asks something that the knowledge base answers by itself."""
    search = _best(turn.searches)
    return search.band is Band.ANSWER and search.top is not None and not search.top.collect


def found(turn: Turn) -> bool:
    """Whether the knowledge base has anything to say to the message."""
    return _best(turn.searches).band is not Band.NONE


def outweighs_talk(turn: Turn, *, sure: bool) -> bool:
    """Whether a message that sounds like small talk carries a question all the same."""
    search = _best(turn.searches)
    # Few words that name an error or a function are a question, unless they surely are a reply.
    vague = len(turn.text.strip()) < VAGUE_CHARS and (sure or _is_vague(turn))
    if search.top is None or vague:
        return False
    return search.band is Band.ANSWER if sure else search.band is not Band.NONE
