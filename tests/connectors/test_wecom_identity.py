"""Members by web login and address book, on builds of every age."""

from datetime import timedelta

import pytest

from connectors.fake_wecom.settings import Member
from connectors.identity_provider import Person
from connectors.wecom_api import LoginRefused, WecomApi
from connectors.wecom_identity import WecomIdentity
from tests.connectors.test_wecom import SETTINGS, Wecom

OPEN = SETTINGS.model_copy(update={"directory": True, "regions": {"2": "城东区"}})


@pytest.fixture
def wecom() -> Wecom:
    made = Wecom()
    members = {"lihua": Member("lihua", "李华", 2), "x" * 65: Member("x" * 65, "长", 2)}
    made.fake.settings.members = members
    made.fake.settings.departments = {2: "城东区财政局"}
    return made


def provider(wecom: Wecom, settings: object = OPEN) -> WecomIdentity:
    assert isinstance(settings, type(OPEN))
    api = WecomApi(wecom.network.client(), settings, wecom.clock)
    return WecomIdentity(api, settings, wecom.clock)


async def test_a_code_tells_the_person_with_unit_and_region(wecom: Wecom) -> None:
    found = await provider(wecom).person_of_code(wecom.fake.authorize("lihua"))
    assert found == Person("lihua", "李华", "城东区财政局", "城东区")
    closed = provider(wecom, SETTINGS)
    assert await closed.person_of_code(wecom.fake.authorize("lihua")) == Person("lihua")


async def test_older_builds_are_asked_in_their_way(wecom: Wecom) -> None:
    wecom.fake.settings.old_oauth = True
    asked = provider(wecom)
    for _ in range(2):
        assert (await asked.person_of_code(wecom.fake.authorize("lihua"))).subject == "lihua"
    paths = [r.url.path.partition("/cgi-bin/")[2] for r in wecom.network.requests]
    assert paths.count("auth/getuserinfo") == 1
    assert paths.count("user/getuserinfo") == 2


@pytest.mark.parametrize("who", ["", "x" * 65])
async def test_outsiders_and_odd_names_are_refused(wecom: Wecom, who: str) -> None:
    with pytest.raises(LoginRefused):
        await provider(wecom).person_of_code(wecom.fake.authorize(who))


async def test_a_code_is_good_once_and_not_for_long(wecom: Wecom) -> None:
    asked, code = provider(wecom), wecom.fake.authorize("lihua")
    await asked.person_of_code(code)
    late = wecom.fake.authorize("lihua")
    wecom.now += timedelta(minutes=6)
    for bad in (code, late, "", "x" * 513, "guess"):
        with pytest.raises(LoginRefused):
            await asked.person_of_code(bad)


async def test_an_address_book_that_refuses_is_left_alone_for_a_day(wecom: Wecom) -> None:
    asked = provider(wecom)
    assert await asked.person("nobody") == Person("nobody")
    calls = len(wecom.network.requests)
    assert await asked.person("lihua") == Person("lihua")
    assert len(wecom.network.requests) == calls
    wecom.now += timedelta(hours=25)
    assert (await asked.person("lihua")).name == "李华"
