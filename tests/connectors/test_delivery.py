"""A channel that has to be sent to gets the same conversation as the widget, through the outbox."""

from pathlib import Path

from bot.assembly import Services, assemble
from bot.conversations.opening import NewUser
from connectors.base import TransientError
from connectors.memory import MemoryChannel
from store import outbox
from tests.product import copy_workspace, make_settings


async def relay_all(services: Services) -> None:
    while await services.relay.run_once():
        pass


async def test_replies_reach_the_person_in_order(prepared_workspace: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    channel = MemoryChannel()
    services = assemble(make_settings(home), channels={"memory": channel})
    try:
        user = NewUser(channel="memory", external_user="li")
        conversation = await services.openings.open(user, token=None, now=services.clock())
        for n, question in enumerate(("UKey插上没有反应怎么办", "公务卡怎么还款")):
            await services.conversations.receive(
                conversation.id, external_id=f"m{n}", text=question
            )
            await services.conversations.settle()
        await relay_all(services)
        kinds = [delivery.kind for delivery in channel.delivered]
        assert kinds[-2:] == ["answer", "answer"]
        refs = [d.data["ref"] for d in channel.delivered if d.kind == "answer"]
        assert refs == ["CA01", "GW02"]
        assert {d.external_user for d in channel.delivered} == {"li"}
        assert "出处" in channel.texts("li")[-1]
        assert len({d.dedupe_key for d in channel.delivered}) == len(channel.delivered)
    finally:
        await services.database.dispose()


async def test_a_conversation_of_a_missing_channel_shows_as_a_dead_letter(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    channel = MemoryChannel()
    channel.failures = [TransientError("busy")]
    services = assemble(make_settings(home), channels={"memory": channel})
    try:
        for name in ("memory", "pigeon"):
            user = NewUser(channel=name, external_user="li")
            conversation = await services.openings.open(user, token=None, now=services.clock())
            await services.conversations.receive(conversation.id, external_id="m", text="你好")
        await services.conversations.settle()
        await relay_all(services)
        async with services.database.reading() as session:
            dead = await outbox.dead_letters(session)
            counts = await outbox.counts(session)
        assert dead
        assert {row.last_error for row in dead} == {"no channel pigeon"}
        assert counts["pending"] >= 1  # the one that was busy waits for its turn
    finally:
        await services.database.dispose()
