"""What can be refused about notifications, alerts and their credentials. Data only."""

from dataclasses import dataclass

from bot.errors import BotError


@dataclass
class SecretsKeyMissing(BotError):
    """No key in the environment encrypts, or none of them is the one that encrypted."""


@dataclass
class SecretUnreadable(BotError):
    """A sealed text that was changed, or that belongs to something else."""

    belongs_to: str


@dataclass
class NotificationInvalid(BotError):
    """A channel, rule, source or silence that cannot be kept.

    ``field`` names the form's field, ``reason`` ends a phrase key, ``detail`` is what was typed
    where that helps and is no secret.
    """

    field: str
    reason: str
    detail: str = ""


@dataclass
class NotificationGone(BotError):
    """No such channel, rule, source or silence."""

    id: str


@dataclass
class NotificationChanged(BotError):
    """Somebody else saved it after this form was opened."""

    id: str


@dataclass
class AlertRefused(BotError):
    """An alert delivery whose sender did not prove who it is; the same answer for everything."""
