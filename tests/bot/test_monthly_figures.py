"""Monthly averages: counted by the fold, in the right month, in scope, and told with their sums."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.accounts.service import Principal
from bot.conversations.greeting import LOCAL
from bot.errors import InvalidInput
from bot.rules.monthly_figures import Averages, Month
from bot.tables import Role
from handoff.rule_trial_repository import Past
from handoff.ticket import Action
from tests.handoff.people import CHEN, NOW
from tests.handoff.rule_builders import ABOUT, Story
from tests.handoff.terms import shipped_terms

MARCH = Month.of("2026-03", NOW.astimezone(LOCAL))


def manager(*regions: str) -> Principal:
    return Principal("m", "m", "m", "", Role.MANAGER, regions, (), "", must_change_password=False)


def averages(month: Month, *stories: Story, regions: tuple[str, ...] = ()) -> Any:
    found = Averages(shipped_terms(), manager(*regions), month, NOW + timedelta(days=60))
    for number, story in enumerate(stories):
        found.judge(Past(f"FS{number}", "送审失败", ABOUT, story.events))
    return found.result()


def answered(reply: float, resolve: float, **opening: Any) -> Story:
    story = Story(**opening).then(Action.CLAIM, CHEN, 0).then(Action.REPLY, CHEN, reply)
    until = NOW.isoformat()
    return story.then(Action.RESOLVE, CHEN, resolve, cause="x", solution="y", confirm_until=until)


def test_sums_and_means_are_of_the_clock_and_of_the_wall() -> None:
    result = averages(MARCH, answered(4, 20), answered(8, 40))
    [group] = result["groups"]
    assert (group["region"], group["respond"]["count"]) == ("禅城区", 2)
    assert group["respond"]["elapsed"] == 12
    assert group["respond"]["elapsed_mean"] == 6
    assert group["resolve"]["elapsed_mean"] == (24 + 48) / 2
    for target in ("respond", "resolve"):
        listed = [one[target]["used"] for one in result["tickets"]]
        assert group[target]["used"] == sum(listed), "the list adds up to the sum"
    # The story begins at 9:00 of a working day: the clock and the wall agree.
    assert group["respond"]["used_mean"] == 6


def test_nights_do_not_count_on_the_clock_but_do_on_the_wall() -> None:
    late = answered(4, 24 * 60)
    [group] = averages(MARCH, late)["groups"]
    assert group["resolve"]["elapsed"] == 24 * 60 + 4
    assert group["resolve"]["used"] < 12 * 60


def test_each_target_counts_in_the_month_in_which_it_was_met() -> None:
    over = answered(4, 25 * 24 * 60)
    april = Month.of("2026-04", (NOW + timedelta(days=60)).astimezone(LOCAL))
    [march] = averages(MARCH, over)["groups"]
    [later] = averages(april, over)["groups"]
    assert (march["respond"]["count"], march["resolve"]["count"]) == (1, 0)
    assert (later["respond"]["count"], later["resolve"]["count"]) == (0, 1)
    assert march["resolve"]["used_mean"] is None
    assert later["resolve"]["late"] == 1


def test_other_regions_are_left_out() -> None:
    two = (answered(4, 20), answered(4, 20, region="南海区"))
    assert len(averages(MARCH, *two)["groups"]) == 2
    [only] = averages(MARCH, *two, regions=("南海区",))["groups"]
    assert only["region"] == "南海区"


@pytest.mark.parametrize("typed", ["", "2026", "2026-13", "2026-04", "9999-99", "2026-03-01", "x"])
def test_what_is_no_month_until_now_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInput):
        Month.of(typed, datetime(2026, 3, 20, tzinfo=LOCAL))
