"""Notification rules to begin with: each fills the form of a new rule, switched off.

The channel is whichever the form offers first; whoever keeps the rule chooses it.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.notifications.events import NoticeEvent
from bot.notifications.forms import RuleForm
from bot.phrases import Phrases
from store.vocabulary import Severity

_URGENT = (Severity.URGENT.value, Severity.MAJOR.value)
_STARTERS: Mapping[str, RuleForm] = MappingProxyType(
    {
        "major": RuleForm(
            events=(NoticeEvent.OPENED.value, NoticeEvent.SEVERITY_RAISED.value),
            severities=(Severity.MAJOR.value,),
            repeat_minutes="10",
            repeat_times="3",
        ),
        "deadlines": RuleForm(
            events=(NoticeEvent.SLA_WARNING.value, NoticeEvent.SLA_BREACHED.value)
        ),
        "unanswered": RuleForm(
            events=(NoticeEvent.UNANSWERED.value, NoticeEvent.ESCALATED.value), severities=_URGENT
        ),
        "incidents": RuleForm(events=(NoticeEvent.INCIDENT.value, NoticeEvent.ALERT.value)),
        "gathered": RuleForm(
            events=(NoticeEvent.OPENED.value, NoticeEvent.REOPENED.value),
            severities=(Severity.GENERAL.value,),
            digest_minutes="60",
        ),
    }
)


def starters(phrases: Phrases) -> Mapping[str, RuleForm]:
    """The forms by key, with their names."""
    return {
        key: replace(form, name=phrases.say(f"notify.starter.{key}.name"), enabled=False)
        for key, form in _STARTERS.items()
    }
