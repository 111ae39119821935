"""Turns what the console reads into what its pages print: words, colours, countdowns, rights.

Pure apart from the phrase catalogue. Refuses to decide who may do what beyond reading the
transition table's actions and who holds the ticket; the verbs check again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.accounts.service import DESK_ROLES, Principal
from bot.attachments.kinds import SHOWN
from bot.cards import local_time
from bot.conversations.greeting import LOCAL
from bot.phrases import Phrases
from bot.tables import Owner
from bot.web.console.sheets import links, offered
from bot.web.contexts import (
    Candidate,
    DeadlineView,
    Due,
    EventView,
    FileView,
    MessageView,
    Person,
    QueueRow,
    RelationView,
    Rights,
    SearchView,
    TicketView,
    TurnView,
)
from handoff.ticket import OPEN_STATUSES, Status
from store.vocabulary import Severity

#: Below this a deadline is shown as near.
SOON = timedelta(minutes=30)
#: Candidates shown of one search, and of all; below the score they say nothing.
FOUND_SHOWN, SUGGESTED_SHOWN, SCORE_SHOWN = 5, 3, 0.05
SEVERITY_CLASS: Mapping[str, str] = {
    Severity.GENERAL: "general",
    Severity.URGENT: "urgent",
    Severity.MAJOR: "major",
}
_SYSTEM_KINDS = frozenset({"queue", "joined", "returned", "resolved", "closed", "rating_request"})
_CARD_KINDS = frozenset({"answer", "offer", "ticket", "note", "draft"})
#: What the history says of an event besides its name.
_TOLD = ("severity", "why", "reason", "cause")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Views:
    """Builders that need words and the time."""

    phrases: Phrases
    now: datetime

    def due(self, at: datetime | None, *, over: bool = False) -> Due | None:
        """A countdown to ``at``; ``over`` when nothing is promised any more."""
        if at is None or over:
            return None
        left = at - self.now
        state = "late" if left < timedelta() else "soon" if left <= SOON else "ok"
        return Due(at, self.countdown(left), state)

    def countdown(self, left: timedelta) -> str:
        """How much is left, or how much it is late; seconds only in the last minute."""
        seconds = int(abs(left.total_seconds()))
        say = self.phrases.say
        if seconds < _MINUTE:
            span = say("console.live.seconds", count=seconds)
        elif seconds < _HOUR:
            span = say("console.live.minutes", count=seconds // _MINUTE)
        elif seconds < _DAY:
            hours, rest = divmod(seconds, _HOUR)
            span = say("console.live.hours", hours=hours, minutes=rest // _MINUTE)
        else:
            days, rest = divmod(seconds, _DAY)
            span = say("console.live.days", days=days, hours=rest // _HOUR)
        key = "console.live.late" if left < timedelta() else "console.live.left"
        return say(key, span=span)

    def clock(self, at: datetime) -> str:
        """The time of day; with the date when that is not today."""
        local, today = at.astimezone(LOCAL), self.now.astimezone(LOCAL)
        if local.date() == today.date():
            return f"{local:%H:%M}"
        return f"{local.month}/{local.day} {local:%H:%M}"

    def row(self, ticket: Mapping[str, Any], me: Principal, *, chosen: str, query: str) -> QueueRow:
        """One ticket in a list."""
        person = ticket.get("requester") or {}
        mine = ticket["assignee_id"] == me.staff_id
        return QueueRow(
            number=ticket["number"],
            title=ticket["title"],
            status=ticket["status"],
            severity=ticket["severity"],
            severity_class=SEVERITY_CLASS[ticket["severity"]],
            who=_first(ticket["unit"], person.get("unit"), person.get("name"))
            or self.phrases.say("console.anonymous"),
            module=ticket["module"] or ticket["category"],
            due=self.due(ticket["next_due"], over=_is_over(ticket["status"])),
            unread=ticket["unread"],
            mine=mine,
            holder=self._holder(ticket, mine=mine),
            href=f"/console/tickets/{ticket['number']}{query}",
            chosen=ticket["number"] == chosen,
        )

    def _holder(self, ticket: Mapping[str, Any], *, mine: bool) -> str:
        if ticket["assignee_id"] is None:
            return ""
        return self.phrases.say("console.mine" if mine else "console.others")

    def ticket(self, found: Mapping[str, Any], me: Principal) -> TicketView:
        """One ticket whole."""
        transcript: Sequence[Mapping[str, Any]] = found["transcript"]
        return TicketView(
            number=found["number"],
            title=found["title"],
            description=found["description"],
            status=found["status"],
            severity=found["severity"],
            severity_class=SEVERITY_CLASS[found["severity"]],
            category=found["category"],
            module=found["module"] or "",
            level=found["level"],
            channel=self._code("channel", found["channel"]),
            opened_at=found["opened_at"],
            assignee=found["assignee"] or "",
            owner=found["owner"] or "",
            owner_word=self._code("owner", found["owner"] or ""),
            due=self.due(found["next_due"], over=_is_over(found["status"])),
            reasons=found["reasons"],
            promise=found["promise"],
            person=_person(found),
            summary=found["summary"],
            deadlines=[self.deadline(target) for target in found["deadlines"]],
            messages=self.messages(found, me),
            suggested=_suggested(found["turns"]),
            similar=found["similar"],
            events=[self.event(event) for event in reversed(found["events"])],
            rights=self.rights(found, me),
            last_seq=max((line["seq"] for line in transcript), default=0),
            live=found["conversation_id"] is not None,
            cause=found["cause"] or "",
            solution=found["solution"] or "",
            draft_id=found["draft_id"],
            severities=[s.value for s in Severity if s.value != found["severity"]],
            canned=found["canned"],
            version=found["version"],
            waits=self._waits(found),
            relations=[
                RelationView(self.phrases.say(f"console.relation.{r['relation']}"), r["number"])
                for r in found["relations"]
            ],
            incident=found["incident"],
            alerts=found.get("alerts", ()),
            order=found["work_order"],
            report=found["report"],
            report_required=found["report_owed"],
            duplicates=found["duplicates"],
            marks=found["marks"],
            custom=found["fields"],
            rules=found["rules"],
        )

    def _waits(self, found: Mapping[str, Any]) -> str:
        """For whom or what a suspended ticket waits, and until when."""
        if found["resume_at"] is not None:
            at = local_time(found["resume_at"])
            return self.phrases.say("console.waits_until", reason=found["pause_reason"], at=at)
        return found["pause_reason"] or ""

    def rights(self, found: Mapping[str, Any], me: Principal) -> Rights:
        """Which of the transition table's actions this account may take now."""
        actions = set(found["actions"])
        if not me.may(*DESK_ROLES):
            return Rights(hint=self.phrases.say("console.hint.reading"))
        holds = found["assignee_id"] == me.staff_id
        speaks = found["speaker_id"] == me.staff_id
        # Having given the word back to the bot, the holder takes it again by claiming again.
        silent = holds and found["owner"] in (Owner.BOT.value, Owner.QUEUE.value)
        free = "claim" in actions and found["assignee_id"] in (None, me.staff_id)
        claim = free or (silent and found["status"] == Status.IN_PROGRESS.value)
        return Rights(
            act=True,
            claim=claim,
            reply="reply" in actions and holds and speaks,
            note="note" in actions,
            resolve="resolve" in actions and holds,
            give_back=holds and speaks and found["status"] == Status.IN_PROGRESS.value,
            change_severity="change_severity" in actions,
            verbs=links(self.phrases.say, offered(found, me)),
            hint=self._hint(found, holds=holds, speaks=speaks, claim=claim),
        )

    def _hint(self, found: Mapping[str, Any], *, holds: bool, speaks: bool, claim: bool) -> str:
        say = self.phrases.say
        if _is_over(found["status"]):
            return say("console.hint.over", status=found["status"])
        if claim:
            return say("console.hint.claim")
        if not holds:
            return say("console.hint.others", name=found["assignee"] or "")
        if found["conversation_id"] is None:
            return say("console.hint.no_conversation")
        return "" if speaks else say("console.hint.bot_speaks")

    def messages(
        self, found: Mapping[str, Any], me: Principal, *, after: int = -1
    ) -> list[MessageView]:
        """The transcript after a sequence number, each message with the bot's turn on it."""
        turns = {turn["seq"]: self.turn(turn) for turn in found["turns"] if turn["seq"] > after}
        lines = [line for line in found["transcript"] if line["seq"] > after]
        shown = [self.message(line, me, turns) for line in lines]
        return [
            replace(one, files=self._files(found["number"], line["files"]))
            if line.get("files")
            else one
            for one, line in zip(shown, lines, strict=True)
        ]

    def _files(self, number: str, files: Iterable[Mapping[str, Any]]) -> tuple[FileView, ...]:
        say = self.phrases.say
        return tuple(
            FileView(
                name=file["name"],
                href=f"/console/tickets/{number}/files/{file['id']}",
                size=_size(file["size"]),
                shown=file["media_type"] in SHOWN,
                width=file["width"],
                height=file["height"],
                text=file["text"],
                note=say(f"console.file.{file['reading']}"),
                gone=file["removed"],
                reading=file["reading"],
            )
            for file in files
        )

    def message(
        self, line: Mapping[str, Any], me: Principal, turns: Mapping[int, TurnView]
    ) -> MessageView:
        """One line of the transcript."""
        return MessageView(
            seq=line["seq"],
            look=_look(line),
            sender=line["sender"],
            who=self._who(line),
            text=line["text"],
            data=line["data"],
            at=line["created_at"],
            clock=self.clock(line["created_at"]),
            mine=line["staff_id"] == me.staff_id,
            turn=turns.get(line["seq"]),
        )

    def _who(self, line: Mapping[str, Any]) -> str:
        if line["sender"] == "engineer":
            data = line["data"]
            return " · ".join(part for part in (data.get("name"), data.get("post")) if part)
        return self._code("sender", line["sender"])

    def turn(self, turn: Mapping[str, Any]) -> TurnView:
        """What the bot understood, searched and decided for one message, in words."""
        understood, say = turn["understanding"], self.phrases.say
        searches = [self._search(search) for search in turn["search"]]
        best = max((c.score for s in searches for c in s.found), default=None)
        reason = self._code("reason", str(turn["decision"].get("reason", "")))
        parts = [
            self._intent(understood),
            say("console.turn.best", score=f"{best:.2f}") if best is not None else "",
            reason,
            self._code("interpreter", str(understood.get("interpreter", ""))),
            say("console.turn.elapsed", ms=turn["elapsed_ms"]),
        ]
        triage = understood.get("triage") or {}
        return TurnView(
            line=" · ".join(part for part in parts if part),
            reason=reason,
            entities=[self._entity(e) for e in understood.get("entities", ())],
            evidence=self._evidence(triage.get("reasons", ())),
            searches=searches,
        )

    def _intent(self, understood: Mapping[str, Any]) -> str:
        word = self._code("intent", str(understood.get("intent", "")))
        confidence = float(understood.get("confidence", 0))
        return f"{word} {confidence:.0%}" if word else ""

    def _entity(self, entity: Mapping[str, Any]) -> str:
        name = self._code("entity", str(entity["name"]))
        return f"{name} {entity['value']}".strip()

    def _evidence(self, reasons: Iterable[Mapping[str, Any]]) -> list[str]:
        """Rules in words where the catalogue has them, each once."""
        told: dict[str, None] = {}
        for reason in reasons:
            rule, evidence = str(reason.get("rule", "")), str(reason.get("evidence", ""))
            if self.phrases.has(rule):
                told[self.phrases.say(rule, evidence=evidence)] = None
        return list(told)

    def _search(self, search: Mapping[str, Any]) -> SearchView:
        found = [c for c in _candidates(search["found"]) if c.score >= SCORE_SHOWN][:FOUND_SHOWN]
        return SearchView(search["query"], self._code("band", search["band"]), found)

    def deadline(self, target: Mapping[str, Any]) -> DeadlineView:
        """One promised target with its countdown."""
        running = target["phase"] == "running"
        due = self.due(target["deadline"]) if running else None
        late = bool(target["breached"])
        return DeadlineView(
            title=target["title"],
            word=self.phrases.say("console.late") if late else self._code("phase", target["phase"]),
            state="late" if late else due.state if due else target["phase"],
            due=due,
            met_at=target["met_at"],
            why=target["why"],
        )

    def event(self, event: Mapping[str, Any]) -> EventView:
        """One entry of the history."""
        before, after, detail = event["from"], event["to"], event["detail"]
        moved = before is not None and before != after
        # What people note stands in the transcript; what a rule notes only here.
        keys = (*_TOLD, "text") if event["actor_kind"] == "system" else _TOLD
        told = [str(detail[key]) for key in keys if detail.get(key)]
        return EventView(
            at=event["at"],
            what=self.phrases.say(f"ticket_action.{event['action']}"),
            actor=event["actor"] or self._code("sender", event["actor_kind"]),
            change=f"{before} → {after}" if moved else "",
            detail=" · ".join(told),
        )

    def _code(self, group: str, code: str) -> str:
        """A code in words; nothing rather than the code itself."""
        key = f"console.code.{group}.{code}"
        return self.phrases.say(key) if code and self.phrases.has(key) else ""


def _size(size: int) -> str:
    kib = size / 1024
    return f"{kib:.0f} KB" if kib < 1000 else f"{kib / 1024:.1f} MB"


def _look(line: Mapping[str, Any]) -> str:
    kind = line["kind"]
    if kind in _CARD_KINDS:
        return str(kind)
    if kind in _SYSTEM_KINDS or line["sender"] == "system":
        return "system"
    return "text"


def _person(found: Mapping[str, Any]) -> Person:
    person = found["requester"] or {}
    return Person(
        name=person.get("name") or "",
        unit=_first(found["unit"], person.get("unit")),
        region=_first(found["region"], person.get("region")),
        phone=person.get("phone") or "",
        device=person.get("device") or "",
        verified=bool(person.get("verified")),
    )


def _candidates(found: Iterable[Mapping[str, Any]]) -> list[Candidate]:
    return [Candidate(f["title"], float(f["score"]), f"{f['score']:.2f}") for f in found]


def _suggested(turns: Sequence[Mapping[str, Any]]) -> list[Candidate]:
    """The best finds of all turns, each title once, so that a bare 转人工 does not hide them."""
    best: dict[str, Candidate] = {}
    for turn in turns:
        if turn["understanding"].get("intent") in ("ask_question", "report_fault"):
            for search in turn["search"]:
                for one in _candidates(search["found"]):
                    known = best.get(one.title)
                    if known is None or known.score < one.score:
                        best[one.title] = one
    ranked = sorted(best.values(), key=lambda one: -one.score)
    return [one for one in ranked if one.score >= 0.05][:SUGGESTED_SHOWN]


def _first(*values: str | None) -> str:
    return next((value for value in values if value), "")


def _is_over(status: str) -> bool:
    return Status(status) not in OPEN_STATUSES
