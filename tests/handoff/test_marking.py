"""Tags and custom fields: what may stand in them, and that rows say what events say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from handoff import listing_repository as listing
from handoff import mark_repository, marking, repository
from handoff.errors import InvalidMark, NothingToChange
from handoff.listing_repository import TicketFilter
from handoff.mark_tables import TicketField, TicketMark
from handoff.marks import CustomField, FieldKind, is_tag, marks_of, tags_of
from handoff.tables import Ticket
from tests.handoff.people import CHEN, NOW, SYSTEM, Desk


async def add_field(desk: Desk, key: str, kind: str = "line", **over: object) -> None:
    values = {"choices": [], "categories": [], "position": 0, "active": True, "version": 1}
    async with desk.database.transaction() as session:
        session.add(
            TicketField(
                key=key, label=key, kind=kind, created_at=NOW, updated_at=NOW, **{**values, **over}
            )
        )


async def marked(desk: Desk, ticket: Ticket) -> set[tuple[str, str]]:
    async with desk.database.reading() as session:
        query = select(TicketMark).where(TicketMark.ticket_id == ticket.id)
        found = {(row.name, row.value) for row in await session.scalars(query)}
        marks = marks_of(await repository.events_of(session, ticket.id))
    assert found == {*(("", tag) for tag in marks.tags), *marks.fields.items()}
    return found


async def numbers(desk: Desk, *marks: tuple[str, str]) -> list[str]:
    async with desk.database.reading() as session:
        found = await listing.list_tickets(session, TicketFilter(marks=marks))
        assert await listing.count_tickets(session, TicketFilter(marks=marks)) == len(found)
    return [ticket.number for ticket in found]


async def test_tickets_are_marked_and_found_by_it(desk: Desk) -> None:
    await add_field(desk, "voucher")
    first, second = await desk.open(), await desk.open()
    await desk.do(marking.mark, first, CHEN, tags=["加急", "年终", "加急"])
    await desk.do(marking.mark, first, CHEN, fields={"voucher": " ZB-17 "})
    await desk.do(marking.retag, second, SYSTEM, add=["年终"])
    assert await marked(desk, first) == {("", "加急"), ("", "年终"), ("voucher", "ZB-17")}
    assert await numbers(desk, ("", "年终")) == [first.number, second.number]
    assert await numbers(desk, ("", "年终"), ("voucher", "ZB-17")) == [first.number]
    async with desk.database.reading() as session:
        assert await mark_repository.tags_in_use(session) == [("年终", 2), ("加急", 1)]
    await desk.do(marking.retag, first, CHEN, remove=["加急"])
    await desk.do(marking.mark, first, CHEN, fields={"voucher": ""})
    assert await marked(desk, first) == {("", "年终")}


async def test_what_changes_nothing_or_is_no_mark_is_refused(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    await add_field(desk, "month", "choice", choices=["一月"], categories=["数据问题"])
    await add_field(desk, "old", active=False)
    ticket = await desk.open()
    await desk.do(marking.mark, ticket, CHEN, tags=["年终"])
    with pytest.raises(NothingToChange):
        await desk.do(marking.retag, ticket, CHEN, add=["年终"])
    for fields in ({"month": "一月"}, {"old": "x"}, {"none": "x"}):
        with pytest.raises(InvalidMark):
            await desk.do(marking.mark, ticket, CHEN, fields=fields)
    with pytest.raises(InvalidMark):
        await desk.do(marking.mark, ticket, CHEN, tags=["两 个"])
    with pytest.raises(InvalidMark):
        await desk.do(marking.mark, ticket, CHEN, tags=[f"t{n}" for n in range(21)])
    assert await marked(desk, ticket) == {("", "年终")}


@pytest.mark.parametrize(
    ("kind", "text", "fits"),
    [
        (FieldKind.LINE, "随便写", True),
        (FieldKind.LINE, "长" * 201, False),
        (FieldKind.LINE, "两\n行", False),
        (FieldKind.CHOICE, "甲", True),
        (FieldKind.CHOICE, "丙", False),
        (FieldKind.NUMBER, "-12.50", True),
        (FieldKind.NUMBER, "1e9", False),
        (FieldKind.NUMBER, "１２", False),
        (FieldKind.NUMBER, ".", False),
        (FieldKind.NUMBER, "9" * 19, False),
        (FieldKind.DATE, "2026-02-28", True),
        (FieldKind.DATE, "2026-02-30", False),
        (FieldKind.DATE, "20260228", False),
    ],
)
def test_a_field_keeps_what_its_kind_allows(kind: FieldKind, text: str, fits: bool) -> None:
    field = CustomField("key", "项", kind, ("甲", "乙"))
    if fits:
        assert field.checked(text) == text
        return
    with pytest.raises(InvalidMark) as refused:
        field.checked(text)
    assert refused.value.field == "key"


@given(st.lists(st.text(max_size=40), max_size=25))
def test_tags_are_single_words_once_each_or_refused(words: list[str]) -> None:
    try:
        tags = tags_of(words)
    except InvalidMark:
        return
    assert list(tags) == sorted(set(tags))
    assert all(is_tag(tag) for tag in tags)
