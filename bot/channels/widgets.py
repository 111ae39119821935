"""How the widgets of host pages do, each by its key.

A browser comes and fetches what is said to it, so nothing is sent and nothing can be stopped here.
What goes wrong is the host's signature: a server with another secret or a wrong clock has all its
people refused, and only we can see that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.accounts.service import Principal
from bot.channels import repository as rows
from bot.channels import widget_repository as widget_rows
from bot.channels.desk import RECENT
from bot.channels.h5_login import WIDGET as OWN
from bot.channels.kinds import WIDGET
from bot.channels.live import LiveChannels
from bot.clock import Clock
from bot.settings import Settings
from store.session import Database

#: Refusals are kept for so long.
_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class WidgetHealth:
    """One host page; ``key`` is empty for pages without one.

    ``opened`` and ``refused`` are of the last day; ``waiting`` counts conversations with words
    that nobody has acted on.
    """

    key: str
    enabled: bool
    last_in: datetime | None
    last_out: datetime | None
    opened: int
    refused: int
    waiting: int
    oldest: datetime | None

    @property
    def error_percent(self) -> int | None:
        """Refused among those that came; ``None`` when nobody did."""
        came = self.opened + self.refused
        return round(100 * self.refused / came) if came else None


@dataclass(frozen=True, slots=True)
class Widgets:
    """What the pages of administrators and the API ask about widget keys."""

    database: Database
    settings: Settings
    channels: LiveChannels
    clock: Clock

    def known(self, key: str) -> str:
        """The key, if some host page has it; else an empty one: strangers do not make up names."""
        return key if key in self._switched_on() else ""

    async def note_refused(self, key: str) -> None:
        """A proof for this key was refused; for a key that nobody has, nothing is kept."""
        if not self.known(key):
            return
        now = self.clock()
        hour = now.replace(minute=0, second=0, microsecond=0)
        async with self.database.transaction(quick=True) as session:
            await widget_rows.count_refusal(session, key, hour)
            await widget_rows.forget_refusals(session, now - _KEPT)

    async def keys(self, staff: Principal) -> Sequence[str]:
        """Every key, of the environment and of pages, switched off ones too."""
        staff.require()
        web = self.settings.web
        async with self.database.reading() as session:
            kept = await rows.account_versions(session)
        stored = {name.removeprefix(WIDGET) for name in kept if name.startswith(WIDGET)}
        return sorted(stored | set(web.widget_origins) | set(web.identity_secrets))

    async def health(self, staff: Principal) -> Sequence[WidgetHealth]:
        """Pages without a key first, then every key. Raises :class:`NotPermitted`."""
        keys = await self.keys(staff)
        on, since = self._switched_on(), self.clock() - RECENT
        if OWN in on and OWN not in keys:
            keys = [*keys, OWN]
        async with self.database.reading() as session:
            work = await widget_rows.work(session, since=since)
            refused = await widget_rows.refusals(session, since=since)
            words = {key: await widget_rows.last_words(session, key) for key in ("", *keys)}
        nothing = widget_rows.Work(0, 0, None)
        return [
            WidgetHealth(
                key=key,
                enabled=not key or key in on,
                last_in=words[key].heard,
                last_out=words[key].said,
                opened=work.get(key, nothing).opened,
                refused=refused.get(key, 0),
                waiting=work.get(key, nothing).waiting,
                oldest=work.get(key, nothing).oldest,
            )
            for key in ("", *keys)
        ]

    def _switched_on(self) -> set[str]:
        return {*self.channels.settings.web.widget_origins, *self.channels.proofs}
