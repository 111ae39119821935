"""What engineers set right on tickets is what triage learns from, and nothing else is."""

from bot.learning import read_corrections
from handoff import dispatch, service
from nlu.category_data import Categorised
from nlu.level_model import Rated
from nlu.train import Corrections
from store.session import Database
from store.vocabulary import Category, Severity
from tests.handoff.people import ASKER, BOT, CHEN, Desk, add_people


async def test_only_engineers_corrections_of_finished_tickets_teach(database: Database) -> None:
    await add_people(database)
    desk = Desk(database)
    assert await read_corrections(database) == Corrections()
    told = ("整条走廊的电脑都连不上", "户名填错被退回", "还在办的一件", "没有人改过的一件")
    down, wrong, going_on, untouched = [await desk.open(description=text) for text in told]
    rate = {"severity": Severity.MAJOR, "why": "一层楼都停了"}
    sort = {"category": Category.DATA, "module": None}
    await desk.do(dispatch.change_severity, down, CHEN, **rate)
    await desk.do(dispatch.classify, wrong, CHEN, **sort)
    await desk.do(dispatch.change_severity, going_on, CHEN, **rate)
    # What triage changed by itself teaches it nothing.
    await desk.do(dispatch.change_severity, untouched, BOT, **rate)
    for ticket in (down, wrong, untouched):
        await desk.do(service.claim, ticket, CHEN)
        await desk.do(service.resolve, ticket, CHEN, cause="查明", solution="办好")
    learned = await read_corrections(database)
    assert learned.rated == (Rated(told[0], Severity.MAJOR),)
    assert learned.categorised == (Categorised(told[1], Category.DATA),)
    await desk.do(service.reopen, down, ASKER, why="又不行了")
    assert (await read_corrections(database)).rated == ()
