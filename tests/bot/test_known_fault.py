"""Known faults in the dialogue, and the board that knows them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

from bot.dialogue.decide import decide
from bot.dialogue.decision import AddToTicket, FollowFault, RaiseTicket, Say, ShowFault
from bot.dialogue.state import DialogueState, from_json, to_json
from bot.dialogue.turn import ActionKind, Band, Found, KnownFault, Search, UserAction
from bot.incidents.board import IncidentBoard
from bot.incidents.likeness import Reading, alike, read
from handoff import incident_repository as rows
from handoff import incident_service as service
from handoff.incident import PublicWords
from handoff.incident_service import Doing, NewIncident
from kb.clustering import Floats
from nlu.types import Intent
from store.session import Database
from store.vocabulary import Severity
from tests.bot.dialogue_builders import make_ticket, make_triage, make_turn
from tests.handoff.people import CHEN, NOW
from tests.handoff.test_incident_service import ZONE

FAULT = KnownFault("i1", "SJ20260310-01", "支付打不开", "紧急", None, NOW, "正在抢修", "", 0.6)


class PlainReader:
    """A knowledge base that knows nothing; it counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def vectors(self, texts: Sequence[str]) -> Floats:
        self.asked += 1
        return np.zeros((len(texts), 1), dtype=np.float32)

    def search(self, query: str, *, region: str | None, now: datetime) -> Search:
        return Search(query, Band.NONE)


def test_a_report_is_answered_as_the_fault_and_remembered() -> None:
    turn = make_turn("支付申请打不开了", Intent.REPORT_FAULT, fault=FAULT)
    decision = decide(DialogueState(), turn)
    assert decision.parts == (ShowFault(FAULT),)
    assert decision.state.fault == FAULT.number
    assert from_json(to_json(decision.state)) == decision.state


@pytest.mark.parametrize(
    ("intent", "incident", "likeness", "shown"),
    [
        (Intent.REPORT_FAULT, False, 0.45, True),
        (Intent.REPORT_FAULT, False, 0.44, False),
        (Intent.ASK_QUESTION, True, 0.45, True),
        (Intent.ASK_QUESTION, False, 0.6, False),
        (Intent.ASK_QUESTION, False, 0.65, True),
    ],
)
def test_a_question_must_be_nearer_than_a_report(
    intent: Intent, incident: bool, likeness: float, shown: bool
) -> None:
    turn = make_turn(
        "支付申请打不开了",
        intent,
        fault=replace(FAULT, likeness=likeness),
        triage=make_triage(incident=incident),
    )
    parts = decide(DialogueState(), turn).parts
    assert any(isinstance(part, ShowFault) for part in parts) is shown


def test_a_major_report_of_a_known_fault_opens_no_second_ticket() -> None:
    turn = make_turn(
        "全市都打不开了",
        Intent.REPORT_FAULT,
        fault=FAULT,
        triage=make_triage(Severity.MAJOR, incident=True),
    )
    assert decide(DialogueState(), turn).parts == (ShowFault(FAULT),)


def test_what_the_user_adds_goes_to_their_own_ticket() -> None:
    mine = make_ticket(same_problem=True)
    turn = make_turn("支付申请打不开了", Intent.REPORT_FAULT, fault=FAULT, tickets=(mine,))
    shown, added = decide(DialogueState(), turn).parts
    assert isinstance(shown, ShowFault)
    assert isinstance(added, AddToTicket)
    assert added.number == mine.number


def test_a_person_is_still_one_word_away() -> None:
    told = DialogueState(topic="支付申请打不开", fault=FAULT.number)
    for turn in (
        make_turn("转人工", Intent.REQUEST_HUMAN),
        make_turn("还是要人工", action=UserAction(ActionKind.HUMAN)),
        make_turn("没解决", Intent.NOT_SOLVED),
    ):
        (ticket, *_) = decide(told, turn).parts
        assert isinstance(ticket, RaiseTicket)
        assert ticket.incident == FAULT.number
        assert ticket.problem == "支付申请打不开"


def test_following_by_button_and_by_word() -> None:
    told = DialogueState(topic="支付申请打不开", fault=FAULT.number)
    pressed = make_turn("修好了告诉我", action=UserAction(ActionKind.FOLLOW, number=FAULT.number))
    assert decide(DialogueState(), pressed).parts == (FollowFault(FAULT.number),)
    assert decide(told, make_turn("好的", Intent.AFFIRM)).parts == (FollowFault(FAULT.number),)
    old = make_turn("修好了告诉我", action=UserAction(ActionKind.FOLLOW))
    assert decide(DialogueState(), old).parts == (Say("incident.over"),)
    (yes,) = decide(DialogueState(), make_turn("好的", Intent.AFFIRM)).parts
    assert isinstance(yes, Say)


def test_another_matter_forgets_the_fault() -> None:
    told = DialogueState(topic="支付申请打不开", fault=FAULT.number)
    search = Search("公务卡", Band.ANSWER, (Found("a1", "公务卡怎么还款", 0.9),))
    turn = make_turn("公务卡怎么还款", searches=(search,))
    assert decide(told, turn).state.fault == ""


def test_likeness_is_bounded_whatever_is_compared() -> None:
    reader = PlainReader()
    same, other, nothing = read(reader, ["支付申请打不开", "工资统发人员变动", ""], NOW)
    assert alike(same, [same, other, nothing])[0] == pytest.approx(1.0)
    assert all(0 <= score <= 1 for score in alike(same, [same, other, nothing]))
    assert alike(same, []) == []
    # An index of another dimension came between two readings.
    wider = Reading("支付申请打不开", np.ones(8, dtype=np.float32), {"a": 0.9})
    assert 0 <= alike(same, [wider])[0] <= 1


async def board_with(database: Database, reader: PlainReader) -> IncidentBoard:
    board = IncidentBoard(database, reader, lambda: NOW)
    await board.refresh()
    return board


async def test_while_nothing_is_wrong_a_look_costs_nothing(sqlite_database: Database) -> None:
    reader = PlainReader()
    board = await board_with(sqlite_database, reader)
    assert await board.look("支付申请打不开") is None
    assert reader.asked == 0


async def test_the_board_follows_what_is_decided(database: Database) -> None:
    reader = PlainReader()
    board = await board_with(database, reader)
    async with database.transaction() as session:
        new = NewIncident(
            "支付申请打不开", Severity.URGENT, "支付申请", "AUTH-1001", PublicWords("正在抢修")
        )
        incident = await service.open_incident(Doing(session, CHEN, NOW), new, zone=ZONE)
    assert await board.refresh()
    assert not await board.refresh()
    found = await board.look("支付申请打不开了")
    assert found is not None
    assert (found.number, found.note) == (incident.number, "正在抢修")
    assert found.likeness > 0.5
    coded = await board.look("登录提示 AUTH-1001")
    assert coded is not None
    assert coded.likeness == 1.0
    stranger = await board.look("支付申请打不开了", "工资统发")
    assert stranger is not None
    assert stranger.likeness < found.likeness
    assert await board.look("  ") is None
    async with database.transaction() as session:
        held = await rows.by_id(session, incident.id, lock=True)
        await service.resolve(Doing(session, CHEN, NOW), held, cause="原因", solution="好了")
    assert await board.refresh()
    assert await board.look("支付申请打不开了") is None
    assert board.faults == ()
