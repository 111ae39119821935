"""Draws the pictures of the administrators' manual from the running product.

``python -m docs.admin_screenshots [HOME]``, as ``docs.screenshots``.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from docs.screenshots import DESKTOP, IMAGES, PASSWORD, _ask, _page, _shoot, _widget, served
from tests.browser.widget_harness.chromium import chromium

ADMIN = "pictures-admin"


def _log_in(browser: Browser, address: str, name: str, path: str) -> Page:
    page = _page(browser, address, DESKTOP)
    page.goto(f"/login?next={path}")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(f"**{path}")
    return page


def _resolved(browser: Browser, address: str) -> None:
    """The console with who is there, and the card that asks the user."""
    user = _page(browser, address, DESKTOP)
    frame = _widget(user)
    _ask(frame, "全单位的支付申请都送审不了，一直报错")
    expect(frame.locator(".kind-ticket").first).to_be_visible()
    page = _log_in(browser, address, "pictures", "/console")
    page.get_by_text("送审不了").first.click()
    page.get_by_role("button", name="接单").first.click()
    expect(frame.locator("#log")).to_contain_text("已接入")
    expect(page.locator("#presence .dot-online").first).to_be_attached()
    page.locator("#presence summary").click()
    _shoot(page, "console-presence")
    page.locator("#presence summary").click()
    page.locator("#do-resolve").click()
    page.locator("#cause").fill("流程引擎节点未启动")
    page.locator("#solution").fill("已恢复流程引擎，请重新送审")
    page.get_by_role("button", name="确认解决").click()
    expect(frame.locator(".kind-resolved").last).to_be_visible()
    newer = frame.get_by_role("button", name="有新消息")
    if newer.is_visible():
        newer.click()
    _shoot(user, "widget-confirm")
    frame.locator(".kind-resolved").last.get_by_role("button", name="还没解决").click()
    expect(frame.locator(".kind-queue").last).to_be_visible()


def _administration(browser: Browser, address: str) -> None:
    page = _log_in(browser, address, ADMIN, "/console/admin/staff")
    _shoot(page, "admin-staff")
    page.goto("/console/admin/staff/new")
    page.locator("#username").fill("zhangwei")
    page.locator("#name").fill("张伟")
    page.locator("#post").fill("一线工程师")
    page.locator("#regions").fill("禅城区、南海区")
    _shoot(page, "admin-account")
    page.get_by_role("button", name="创建账号").click()
    expect(page.locator("#one-time")).to_be_visible()
    page.goto("/console/admin/calendars/foshan")
    tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011  # of a picture
    page.locator("[name=first_0]").fill(tomorrow.isoformat())
    page.locator("[name=last_0]").fill((tomorrow + timedelta(days=9)).isoformat())
    page.locator("[name=name_0]").fill("系统割接停机")
    page.get_by_role("button", name="先看对在办工单的影响").click()
    expect(page.locator("#preview")).to_be_visible()
    _shoot(page, "admin-calendar")
    page.goto("/console/admin/contracts?contract=foshan&severity=一般&at=2026-11-20T17:50")
    _shoot(page, "admin-contracts")


def _rules(browser: Browser, address: str) -> None:
    page = _log_in(browser, address, ADMIN, "/console/admin/ticket-rules")
    for name, values, kind, target in (
        ("学校的单子打标签", "学校、小学、中学", "加标签", "学校"),
        ("送审报错先提醒", "送审", "写备注", ""),
    ):
        page.goto("/console/admin/ticket-rules/new")
        page.locator("#name").fill(name)
        page.locator("[name=field_0]").select_option(label="标题或描述")
        page.locator("[name=operator_0]").select_option(label="包含")
        page.locator("[name=values_0]").fill(values)
        page.locator("[name=kind_0]").select_option(label=kind)
        page.locator("[name=target_0]").fill(target)
        if not target:
            page.locator("[name=text_0]").fill("{unit} 报 {title}，先核对流程引擎")
        page.get_by_role("button", name="保存").click()
    _shoot(page, "admin-rules")
    page.get_by_role("link", name="送审报错先提醒").click()
    _shoot(page, "admin-rule")
    page.get_by_role("button", name="用最近 30 天的工单试运行").click()
    expect(page.locator("#done")).to_be_visible()
    _shoot(page, "admin-rule-trial")
    page.goto("/console/admin/fields")
    page.locator("#new summary").click()
    page.locator("#key-new").fill("voucher")
    page.locator("#label-new").fill("凭证号")
    page.locator("#new").get_by_role("button", name="保存").click()
    page.locator("[data-field=voucher] summary").click()
    _shoot(page, "admin-fields")


def main() -> None:
    """Draw every picture."""
    home = Path(sys.argv[1] if len(sys.argv) > 1 else "var")
    IMAGES.mkdir(exist_ok=True)
    with served(home) as (address, _copy), chromium() as browser:
        _resolved(browser, address)
        _administration(browser, address)
        _rules(browser, address)


if __name__ == "__main__":
    main()
