"""The dialogue's decisions: pure, total, and never without a way on for the user."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.dialogue.decide import decide
from bot.dialogue.decision import (
    AddToTicket,
    Ask,
    ConfirmSolved,
    LeaveQueue,
    Offer,
    RaiseTicket,
    RecordFeedback,
    RecordRating,
    RequestRating,
    Say,
    ShowAnswer,
    ShowTickets,
    UrgeTicket,
)
from bot.dialogue.state import Awaiting, DialogueState, Option, from_json, to_json
from bot.dialogue.turn import ActionKind, Band, Clarification, Turn, UserAction
from bot.tables import Owner
from nlu.types import Intent
from store.vocabulary import Category, Severity
from tests.bot.dialogue_builders import (
    make_found,
    make_search,
    make_ticket,
    make_triage,
    make_turn,
    make_understanding,
)

START = DialogueState()
A, B, C, D = (make_found(name) for name in "abcd")


def sure(*found: object, query: str = "q") -> tuple[object, ...]:
    return (make_search(query, Band.ANSWER, *found),)  # type: ignore[arg-type]  # candidates


def test_a_sure_answer_is_shown_and_the_next_best_are_kept() -> None:
    decision = decide(START, make_turn(searches=sure(A, B, C)))
    assert decision.parts == (ShowAnswer("a"),)
    assert decision.state.tried == ("a",)
    assert [o.answer_id for o in decision.state.remaining] == ["b", "c"]


def test_an_unsure_search_offers_three() -> None:
    turn = make_turn(searches=(make_search("q", Band.OFFER, A, B, C, D),))
    decision = decide(START, turn)
    assert decision.parts == (
        Offer(tuple(Option(f.answer_id, f.title) for f in (A, B, C)), "offer.lead"),
    )


def test_nothing_found_opens_a_ticket_in_the_queue() -> None:
    decision = decide(START, make_turn("年终财政专户利息怎么上缴国库账户"))
    (ticket,) = decision.parts
    assert isinstance(ticket, RaiseTicket)
    assert ticket.queue
    assert ticket.reason == "no_answer"
    assert ticket.problem == "年终财政专户利息怎么上缴国库账户"


def test_a_message_that_says_too_little_is_asked_about_once() -> None:
    first = decide(START, make_turn("坏了", Intent.REPORT_FAULT))
    assert first.parts == (Ask(key="ask.describe"),)
    second = decide(first.state, make_turn("就是坏了", Intent.REPORT_FAULT))
    assert isinstance(second.parts[0], RaiseTicket)
    assert "坏了" in second.parts[0].problem


def test_a_confusable_term_is_asked_about_once_and_not_when_the_search_is_sure() -> None:
    pair = Clarification("quota", "您看到的是查不到还是余额不足？", ("查不到", "余额不足"))
    asked = decide(START, make_turn("额度没有了怎么回事", clarification=pair))
    assert asked.parts == (Ask(text=pair.question, options=pair.options),)
    assert asked.state.awaiting is Awaiting.CLARIFICATION
    again = decide(asked.state, make_turn("余额不足", clarification=pair))
    assert not any(isinstance(part, Ask) and part.text for part in again.parts)
    sure_turn = make_turn("额度没有了怎么回事", clarification=pair, searches=sure(A))
    assert decide(START, sure_turn).parts == (ShowAnswer("a"),)


def test_a_question_that_needs_confirming_collects_and_opens_a_ticket() -> None:
    collect = make_found("d1", collect=True, category="权限账号")
    (ticket,) = decide(START, make_turn(searches=sure(collect))).parts
    assert isinstance(ticket, RaiseTicket)
    assert (ticket.collect, ticket.category) == ("d1", Category.ACCOUNT)


def test_a_policy_question_without_an_answer_goes_to_the_business_desk() -> None:
    turn = make_turn("培训费能不能从公用经费列支", Intent.POLICY_QUESTION)
    (ticket,) = decide(START, turn).parts
    assert isinstance(ticket, RaiseTicket)
    assert ticket.category is Category.POLICY


def test_a_suggestion_is_registered_without_queueing() -> None:
    turn = make_turn("建议增加批量导出的功能按钮", Intent.SUGGEST_IMPROVEMENT)
    (ticket,) = decide(START, turn).parts
    assert isinstance(ticket, RaiseTicket)
    assert (ticket.category, ticket.queue) == (Category.REQUIREMENT, False)


def test_a_major_incident_goes_to_people_at_once_with_the_first_measure_beside_it() -> None:
    triage = make_triage(Severity.MAJOR, incident=True, category=Category.FAULT)
    turn = make_turn("全市都登不上", Intent.REPORT_FAULT, triage=triage, searches=sure(A))
    shown, ticket = decide(START, turn).parts
    assert shown == ShowAnswer("a", lead="answer.meanwhile")
    assert isinstance(ticket, RaiseTicket)
    assert ticket.reason == "major"


def test_an_uncertain_severity_opens_the_ticket_first_and_asks_beside_it() -> None:
    triage = make_triage(Severity.URGENT, incident=True, question="triage.ask.scope")
    turn = make_turn("报表导出一直失败报错了", Intent.REPORT_FAULT, triage=triage)
    decision = decide(START, turn)
    ticket, question = decision.parts
    assert isinstance(ticket, RaiseTicket)
    assert question == Ask(key="triage.ask.scope")
    own = make_ticket(same_conversation=True)
    reply = make_turn("全单位都这样", Intent.ADD_INFORMATION, owner=Owner.QUEUE, tickets=(own,))
    (added,) = decide(decision.state, reply).parts
    assert isinstance(added, AddToTicket)
    assert added.triage is reply.triage


def test_the_same_problem_again_goes_to_the_open_ticket() -> None:
    own = make_ticket(same_problem=True)
    turn = make_turn("支付申请送审报错", Intent.REPORT_FAULT, tickets=(own,))
    assert decide(START, turn).parts == (AddToTicket(own.number, "ticket.same_problem"),)


def test_several_questions_are_answered_one_by_one_and_the_rest_becomes_one_ticket() -> None:
    searches = (
        make_search("甲怎么办", Band.ANSWER, A),
        make_search("乙怎么办", Band.OFFER, B, C),
        make_search("丙怎么办", Band.NONE),
    )
    parts = decide(START, make_turn(searches=searches)).parts
    assert [type(part) for part in parts] == [Say, ShowAnswer, Offer, RaiseTicket]
    assert isinstance(parts[3], RaiseTicket)
    assert parts[3].problem == "丙怎么办"


def test_not_solved_offers_the_next_best_once_then_opens_a_ticket() -> None:
    shown = decide(START, make_turn(searches=sure(A, B, C)))
    offered = decide(shown.state, make_turn("还是不行", Intent.NOT_SOLVED))
    assert isinstance(offered.parts[0], Offer)
    given_up = decide(offered.state, make_turn("都不是", Intent.DENY))
    assert isinstance(given_up.parts[0], RaiseTicket)
    assert given_up.parts[0].problem == "支付申请怎么撤回"


@pytest.mark.parametrize(
    ("text", "chosen"),
    [("第二个", "b"), ("选1", "a"), ("最后那个", "c"), ("3", "c"), ("第九个", None)],
)
def test_a_candidate_is_chosen_in_words(text: str, chosen: str | None) -> None:
    state = DialogueState(topic="t", offered=tuple(Option(x, x) for x in "abc"))
    (part,) = decide(state, make_turn(text, Intent.CHOOSE_CANDIDATE)).parts
    assert part == (ShowAnswer(chosen) if chosen else Offer(state.offered, "offer.again"))


def test_a_person_is_had_for_the_asking_at_any_time() -> None:
    for state in (START, START.waiting_for(Awaiting.CLARIFICATION, "x").about("额度没了")):
        (ticket,) = decide(state, make_turn("转人工", Intent.REQUEST_HUMAN)).parts
        assert isinstance(ticket, RaiseTicket)
        assert ticket.queue


def test_asking_for_a_person_again_opens_no_second_ticket() -> None:
    own = make_ticket(same_conversation=True)
    turn = make_turn("转人工", Intent.REQUEST_HUMAN, tickets=(own,))
    assert decide(START, turn).parts == (AddToTicket(own.number, "queue.joined", queue=True),)


def test_ticket_status_by_number_and_for_ones_own() -> None:
    one, two = make_ticket("CW20261120-0001"), make_ticket("CW20261120-0002")
    turn = make_turn("工单到哪了", Intent.TICKET_STATUS, tickets=(one, two))
    (cards,) = decide(START, turn).parts
    assert isinstance(cards, ShowTickets)
    assert cards.numbers == (one.number, two.number)
    named = make_understanding("q", Intent.TICKET_STATUS, ticket_number=two.number)
    (card,) = decide(START, replace(turn, understanding=named)).parts
    assert isinstance(card, ShowTickets)
    assert card.numbers == (two.number,)
    foreign = make_understanding("q", Intent.TICKET_STATUS, ticket_number="CW20261120-9999")
    assert decide(START, replace(turn, understanding=foreign)).parts == (
        Say("ticket.unknown_number"),
    )
    none = make_turn("工单到哪了", Intent.TICKET_STATUS)
    assert decide(START, none).parts == (Say("ticket.none_open"),)


def test_urging_reaches_the_ticket() -> None:
    own = make_ticket()
    turn = make_turn("快点啊", Intent.URGE, tickets=(own,))
    assert decide(START, turn).parts[0] == UrgeTicket(own.number)


def test_impatience_about_a_question_is_still_a_question() -> None:
    turn = make_turn("公务卡怎么还款啊急死了", Intent.URGE, searches=sure(A))
    assert decide(START, turn).parts == (ShowAnswer("a"),)


def test_solved_closes_the_ticket_and_asks_for_stars() -> None:
    own = make_ticket(same_conversation=True)
    turn = make_turn("解决了", Intent.SOLVED, tickets=(own,))
    assert decide(START, turn).parts == (ConfirmSolved(own.number), RequestRating(own.number))


def test_solved_without_any_matter_is_not_taken_at_its_word() -> None:
    turn = make_turn("额度没了啊现在怎么办", Intent.SOLVED, confidence=0.6, searches=sure(A))
    assert decide(START, turn).parts == (ShowAnswer("a"),)


def test_a_question_is_not_heard_as_solved_after_an_answer() -> None:
    after = decide(START, make_turn(searches=sure(A))).state
    turn = make_turn("UKey密码忘了", Intent.SOLVED, confidence=0.5, searches=sure(B))
    assert decide(after, turn).parts == (ShowAnswer("b"),)


@pytest.mark.parametrize(
    ("intent", "key"),
    [
        (Intent.GREET, "talk.greet"),
        (Intent.THANKS, "talk.thanks"),
        (Intent.GOODBYE, "talk.goodbye"),
        (Intent.PRAISE, "talk.praise"),
        (Intent.COMPLAIN, "talk.complain"),
        (Intent.ABUSE, "talk.abuse"),
        (Intent.ASK_CAPABILITY, "talk.capability"),
        (Intent.OUT_OF_SCOPE, "talk.out_of_scope"),
    ],
)
def test_small_talk_is_one_polite_line(intent: Intent, key: str) -> None:
    assert decide(START, make_turn("……嗯", intent)).parts == (Say(key),)


@pytest.mark.parametrize("intent", [Intent.AFFIRM, Intent.DENY, Intent.THANKS])
def test_a_short_question_that_goes_on_is_not_heard_as_a_reply(intent: Intent) -> None:
    asked = replace(START, topic="指标怎么查询", offered=(Option("a", "甲"), Option("b", "乙")))
    searches = (make_search("指标怎么查询 那额度呢", Band.OFFER, A, B),)
    further = decide(asked, make_turn("那额度呢", intent, searches=searches))
    assert any(isinstance(part, Offer) for part in further.parts)
    reply = decide(asked, make_turn("那好吧", intent, searches=searches))
    assert not any(isinstance(part, Offer | ShowAnswer) for part in reply.parts) or (
        intent is Intent.DENY
    )


def test_a_bare_error_is_a_question_however_much_it_sounds_like_no() -> None:
    for confidence, parts in ((0.18, (ShowAnswer("a"),)), (0.95, (Say("talk.deny"),))):
        heard = make_understanding("余额不足", Intent.DENY, confidence, error_text="余额不足")
        turn = make_turn("余额不足", searches=sure(A), understanding=heard)
        assert decide(START, turn).parts == parts
    nameless = make_turn("那没有吧", Intent.DENY, confidence=0.18, searches=sure(A))
    assert decide(START, nameless).parts == (Say("talk.deny"),)


def test_a_greeting_with_a_question_in_it_is_answered() -> None:
    turn = make_turn("你好，支付申请怎么撤回", Intent.GREET, searches=sure(A))
    assert decide(START, turn).parts == (ShowAnswer("a"),)


def test_what_was_masked_is_told_once() -> None:
    turn = make_turn(searches=sure(A), masked=frozenset({"id"}))
    first = decide(START, turn)
    assert first.parts[-1] == Say("privacy.masked")
    assert decide(first.state, turn).parts[-1] != Say("privacy.masked")
    password = make_turn(searches=sure(A), masked=frozenset({"password"}))
    assert decide(START, password).parts[-1] == Say("privacy.password")


@pytest.mark.parametrize("text", ["", "  \n ", "😀😀😀", "。。。！！", "\x00\x01\x02\x03PNG"])
def test_unreadable_input_is_said_so(text: str) -> None:
    assert decide(START, make_turn(text)).parts == (Say("input.unreadable"),)


def test_a_very_long_message_is_searched_by_its_beginning_and_said_so() -> None:
    turn = make_turn("支付申请怎么撤回" * 1500, searches=sure(A))
    assert decide(START, turn).parts == (Say("input.too_long"), ShowAnswer("a"))


def test_in_the_queue_facts_go_to_the_ticket_and_answers_still_come() -> None:
    own = make_ticket(same_conversation=True)
    fact = make_turn("单号是 1234", Intent.ADD_INFORMATION, owner=Owner.QUEUE, tickets=(own,))
    assert isinstance(decide(START, fact).parts[0], AddToTicket)
    asked = make_turn(owner=Owner.QUEUE, tickets=(own,), searches=sure(A))
    assert decide(START, asked).parts == (ShowAnswer("a"),)
    left = make_turn("算了不等了", Intent.CANCEL, owner=Owner.QUEUE, tickets=(own,))
    assert decide(START, left).parts[0] == LeaveQueue()


def test_another_fault_reported_in_the_queue_is_a_ticket_of_its_own() -> None:
    own = make_ticket(same_conversation=True, title="打印不出来")
    report = "全单位的支付申请都送审不了，一直报错"
    turn = make_turn(report, Intent.REPORT_FAULT, owner=Owner.QUEUE, tickets=(own,))
    (ticket,) = decide(START, turn).parts
    assert isinstance(ticket, RaiseTicket)
    assert ticket.problem == report
    short = make_turn("全单位都这样", Intent.REPORT_FAULT, owner=Owner.QUEUE, tickets=(own,))
    assert isinstance(decide(START, short).parts[0], AddToTicket)


def test_buttons_mean_what_they_say() -> None:
    def press(kind: ActionKind, state: DialogueState = START, **over: object) -> tuple[object, ...]:
        action = UserAction(kind, answer_id="a", seq=2, stars=5, comment="好")
        return decide(state, make_turn(action=action, **over)).parts  # type: ignore[arg-type]

    shown = decide(START, make_turn(searches=sure(A, B))).state
    assert press(ActionKind.CHOOSE, chosen=A) == (ShowAnswer("a"),)
    assert press(ActionKind.CHOOSE) == (Say("offer.gone"),)
    assert press(ActionKind.HELPFUL)[0] == RecordFeedback(2, helpful=True)
    unhelpful = press(ActionKind.UNHELPFUL, shown)
    assert unhelpful[0] == RecordFeedback(2, helpful=False)
    assert isinstance(unhelpful[1], Offer)
    assert isinstance(press(ActionKind.HUMAN)[0], RaiseTicket)
    assert press(ActionKind.RATE)[0] == RecordRating(5, "好")


_bands = st.sampled_from(list(Band))
_searches = st.lists(
    st.builds(
        lambda band, n, collect: make_search(
            "q", band, *(make_found(f"a{i}", collect=collect) for i in range(n))
        ),
        _bands,
        st.integers(0, 5),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
_turns = st.builds(
    make_turn,
    st.sampled_from(["支付怎么撤回", "坏了", "😀", "", "第二个", "转人工", "x" * 10_000]),
    st.sampled_from(list(Intent)),
    confidence=st.floats(0, 1),
    searches=_searches,
    owner=st.sampled_from([Owner.BOT, Owner.QUEUE]),
    tickets=st.sampled_from(
        [(), (make_ticket(),), (make_ticket(same_conversation=True, resolved=True),)]
    ),
    triage=st.sampled_from(
        [None, make_triage(), make_triage(Severity.MAJOR, incident=True, question="q")]
    ),
    action=st.none()
    | st.builds(UserAction, st.sampled_from(list(ActionKind)), st.just("a"), st.integers(0, 9)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_turns, min_size=1, max_size=6))
def test_every_message_gets_something_and_the_state_survives_storage(turns: list[Turn]) -> None:
    state = START
    for turn in turns:
        decision = decide(state, turn)
        assert decision.parts
        assert decision == decide(state, turn)
        assert from_json(to_json(decision.state)) == decision.state
        state = decision.state


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.integers() | st.text() | st.lists(st.text())
    )
)
def test_any_stored_state_can_be_read(raw: dict[str, object]) -> None:
    keys = list(to_json(START))
    assert isinstance(from_json(raw), DialogueState)
    assert isinstance(from_json(dict.fromkeys(keys, raw)), DialogueState)
