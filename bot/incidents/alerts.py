"""What monitoring reports becomes a proposal of an incident, for a person to confirm.

In the transaction that takes the alert in; the same alert again proposes nothing, and a storm of
alerts proposes a few at most. Refuses to confirm: an alert knows machines, not users.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts.proposals import AlertProposal
from bot.incidents.gathering import INCIDENT
from handoff import incident_repository as rows
from handoff import incident_service
from handoff.incident import TAKING
from handoff.incident_service import Doing, NewIncident
from store import inbox

#: More proposals of one delivery would bury the list; the alerts themselves are kept elsewhere.
MOST = 5


async def propose(
    session: AsyncSession, proposals: Sequence[AlertProposal], *, zone: ZoneInfo, now: datetime
) -> int:
    """Propose what nobody proposed yet; how many that made."""
    if not proposals:
        return 0
    await rows.propose_alone(session)
    titles = {one.title for one in await rows.with_status(session, TAKING)}
    made = 0
    for one in sorted(proposals, key=lambda one: -one.severity.rank):
        if made == MOST or one.title in titles or not await _first(session, one, now):
            continue
        new = NewIncident(one.title or one.summary, one.severity, one.module)
        evidence = {"alert": {"summary": one.summary, "region": one.region}}
        await incident_service.propose_alert(
            Doing(session, INCIDENT, now), new, zone=zone, began_at=one.began_at, evidence=evidence
        )
        titles.add(one.title)
        made += 1
    return made


async def _first(session: AsyncSession, proposal: AlertProposal, now: datetime) -> bool:
    known = await inbox.admit(
        session, channel="incident_alert", external_id=proposal.key[:200], result={}, now=now
    )
    return known is None
