"""What the examination says about channels of notifications."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.assembly import load_all_terms
from bot.clock import utc_now
from bot.deployment import Deployment
from bot.doctor import Finding, examine
from bot.notifications.tables import NotificationChannel
from bot.secrets_at_rest import SecretsSettings, new_key
from handoff.calendar_tables import CalendarEdit
from handoff.calendar_text import CalendarDraft
from tests.product import copy_workspace, make_settings

KEY = new_key()


async def examined(home: Path, keys: str) -> dict[str, Finding]:
    settings = make_settings(home).model_copy(
        update={"secrets": SecretsSettings(keys=SecretStr(keys))}
    )
    return {finding.key: finding for finding in await examine(Deployment(settings))}


async def test_channels_are_examined(prepared_workspace: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    assert "doctor.secrets" not in await examined(home, "")
    vault = SecretsSettings(keys=SecretStr(KEY)).vault()
    database = Deployment(make_settings(home)).database()
    now = utc_now()
    async with database.transaction() as session:
        session.add(
            NotificationChannel(
                id="a" * 32,
                name="值班群",
                kind="wecom_robot",
                config={},
                secrets={"key": vault.seal("x", "channel")},
                state="broken",
                version=1,
                created_at=now,
                updated_at=now,
                last_error="",
            )
        )
    await database.dispose()
    well = await examined(home, KEY)
    assert well["doctor.secrets"].ok
    assert not well["doctor.channels"].ok
    assert well["doctor.channels"].values == {"names": "值班群"}
    for keys in ("", new_key()):
        assert not (await examined(home, keys))["doctor.secrets"].ok


async def test_converters_for_old_formats_are_looked_for(
    prepared_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    copy_workspace(prepared_workspace, home)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = (await examined(home, ""))["doctor.converters"]
    assert not missing.ok
    assert not missing.needed
    (tmp_path / "soffice").write_text("#!/bin/sh\n")
    (tmp_path / "soffice").chmod(0o755)
    assert (await examined(home, ""))["doctor.converters"].ok


async def test_a_silent_scanner_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "doctor.virus_scanner" not in await examined(home, "")
    monkeypatch.setenv("CAIWEN_ATTACHMENTS__CLAMD", "unix:/nowhere")
    found = (await examined(home, ""))["doctor.virus_scanner"]
    assert (found.ok, found.needed) == (False, True)
    monkeypatch.setenv("CAIWEN_ATTACHMENTS__CLAMD_REQUIRED", "false")
    assert not (await examined(home, ""))["doctor.virus_scanner"].needed


async def test_a_year_that_was_entered_at_the_page_is_not_missing(
    prepared_workspace: Path, tmp_path: Path
) -> None:
    copy_workspace(prepared_workspace, tmp_path / "home")
    settings = make_settings(tmp_path / "home")
    handoff = settings.handoff.model_copy(update={"holiday_warning_days": 400})
    state = Deployment(settings.model_copy(update={"handoff": handoff}))

    async def holidays() -> Finding:
        return next(one for one in await examine(state) if one.key == "doctor.holidays")

    before = await holidays()
    assert not before.ok
    database, now = state.database(), utc_now()
    async with database.transaction() as session:
        for calendar in load_all_terms(settings).calendars.values():
            years = str(before.values["years"]).replace(",", " ")
            draft = replace(CalendarDraft.of(calendar), entered_years=years)
            text = draft.text(calendar)
            session.add(CalendarEdit(calendar_id=calendar.id, text=text, editor="root", at=now))
    await database.dispose()
    assert (await holidays()).ok
