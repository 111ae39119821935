"""Connectors of channels as they are configured now, kept between sends.

A channel that was saved anew gets a new connector; the breaker of the old one is forgotten with
it. A connector knows nothing of what was sent before it was made, or by another process: it has
to be told (see :meth:`Makers.knows_past`).
"""

from collections.abc import Callable, Sequence

from bot.clock import Clock
from bot.notifications.errors import (
    NotificationInvalid,
    SecretsKeyMissing,
    SecretUnreadable,
)
from bot.notifications.kinds import KINDS, ChannelKind, config_of, notifier_of
from bot.notifications.tables import NotificationChannel
from bot.secrets_at_rest import Vault
from connectors.notify_base import Misconfigured, Notifier
from connectors.notify_breaker import Breaker
from connectors.notify_pacing import Past
from connectors.notify_settings import NotifySettings
from connectors.wecom_notices import Application


def place_of(channel_id: str, field: str) -> str:
    """What a channel's sealed field belongs to."""
    return f"notification_channel:{channel_id}:{field}"


class Makers:
    """Makes connectors, opens their secrets, keeps them."""

    def __init__(
        self,
        vault: Vault,
        settings: NotifySettings,
        clock: Clock,
        application: Callable[[], Application | None] = lambda: None,
    ) -> None:
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self._application = application
        self._kept: dict[str, tuple[int, Notifier]] = {}
        self._old: list[Notifier] = []
        self._breakers: dict[str, Breaker] = {}
        self._told: set[str] = set()

    def breaker(self, channel_id: str) -> Breaker:
        """The channel's breaker."""
        return self._breakers.setdefault(channel_id, Breaker())

    def notifier(self, channel: NotificationChannel) -> Notifier:
        """The channel's connector. Raises :class:`Misconfigured` when it cannot be made."""
        kept = self._kept.get(channel.id)
        if kept is not None and kept[0] == channel.version:
            return kept[1]
        made = self.make(channel)
        if kept is not None:
            # A send may be under way on it; it is put down at the end.
            self._old.append(kept[1])
            self._breakers.pop(channel.id, None)
        self._kept[channel.id] = (channel.version, made)
        self._told.discard(channel.id)
        return made

    def knows_past(self, channel_id: str) -> bool:
        """Whether the channel's connector knows what was sent to it lately."""
        return channel_id in self._told

    def tell_past(self, channel: NotificationChannel, past: Sequence[Past]) -> None:
        """Let the connector go on from these sends. Raises :class:`Misconfigured`."""
        self.notifier(channel).recall(past)
        self._told.add(channel.id)

    def forget_past(self) -> None:
        """Another process has sent meanwhile."""
        self._told.clear()

    def make(self, channel: NotificationChannel) -> Notifier:
        """A connector of its own, which the caller closes. Raises :class:`Misconfigured`."""
        kind = KINDS[ChannelKind(channel.kind)]
        try:
            secrets = {
                name: self._vault.open(sealed, place_of(channel.id, name))
                for name, sealed in channel.secrets.items()
            }
            config = config_of(kind, channel.config, secrets)
            return notifier_of(config, self._settings, self._clock, self._application)
        except SecretsKeyMissing:
            raise Misconfigured("secrets key missing") from None
        except SecretUnreadable:
            raise Misconfigured("secret unreadable") from None
        except (NotificationInvalid, OSError):
            raise Misconfigured("configuration") from None

    async def close(self) -> None:
        """Put every connection down."""
        notifiers = [*self._old, *(notifier for _, notifier in self._kept.values())]
        self._old, self._kept = [], {}
        for notifier in notifiers:
            await notifier.close()
