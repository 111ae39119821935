"""The samples of the embedding guide in real host pages: as they stand there, on Vue and on React.

The packages are nobody's dependency: `npm install --no-save vue@3 react@18 react-dom@18` puts them
beside the project, or CAIWEN_NODE_MODULES says where they are; without them these are skipped.
"""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.architecture.source import ROOT
from tests.browser.widget_harness.desk import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GUIDE = ROOT / "docs" / "howto" / "embed-widget.md"
PACKAGES = Path(os.environ.get("CAIWEN_NODE_MODULES") or ROOT / "node_modules")
PLACE = "https://caiwen.example.gov.cn"
HTML = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>平台</title>{}</html>'
VUE = """<script type="importmap">
{"imports": {"vue": "/sample/vue.js", "@/stores/user": "/sample/store.js"}}
</script><div id="app"></div><script type="module" src="/sample/main.js"></script>"""
VUE_STORE = """import { reactive } from "vue";
export const store = reactive(
  { userId: "u1", userName: "陈晓岚", unitName: "禾城市教育局", regionName: "市本级" });
export const useUserStore = () => store;
window.becomes = (given) => Object.assign(store, given);"""
REACT = """<script src="/sample/react.js"></script><script src="/sample/react-dom.js"></script>
<script type="importmap">{"imports": {"react": "/sample/shim.js"}}</script>
<div id="app"></div><script type="module" src="/sample/main.js"></script>"""
REACT_MAIN = """import { Helpdesk } from "/sample/helpdesk.js";
const root = ReactDOM.createRoot(document.getElementById("app"));
let user = { id: "u1", name: "陈晓岚", unit: "禾城市教育局", region: "市本级" };
const draw = () => root.render(React.createElement(
  React.StrictMode, null, React.createElement(Helpdesk, { user })));
window.becomes = (given) => { user = { ...user, id: given.userId, name: given.userName }; draw(); };
draw();"""


def sample(heading: str, language: str) -> str:
    """The code below a heading of the guide."""
    section = GUIDE.read_text("utf-8").split(f"### {heading}\n", 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def package(name: str) -> str:
    path = PACKAGES / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; see the module's words")
    return path.read_text("utf-8")


def open_host(page: Page, root: str, head: str, files: dict[str, str]) -> None:
    """A host page of an origin that may embed the widget, with these files."""
    origin = root.replace("127.0.0.1", "localhost")

    def answer(route: Route) -> None:
        code = files[route.request.url.removeprefix(f"{origin}/sample/")]
        route.fulfill(body=code.replace(PLACE, root), content_type="text/javascript; charset=utf-8")

    page.route(f"{origin}/sample/**", answer)
    # Not found, but found over a network: other pages may not load anything from this machine.
    page.goto(f"{origin}/nothing-here")
    page.set_content(HTML.format(head))


def vue_files() -> dict[str, str]:
    """A single-file component's setup, compiled by hand: its imports first, the rest inside."""
    lines = sample("Vue 3", "js").splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    rest = [line for line in lines if line not in imports]
    main = [
        'import { createApp, h } from "vue";',
        *imports,
        "createApp({ setup() {",
        *rest,
        'return () => h("h1", "平台"); } }).mount("#app");',
    ]
    vue = package("vue/dist/vue.runtime.esm-browser.prod.js")
    return {"vue.js": vue, "store.js": VUE_STORE, "main.js": "\n".join(main)}


def react_files() -> dict[str, str]:
    return {
        "react.js": package("react/umd/react.development.js"),
        "react-dom.js": package("react-dom/umd/react-dom.development.js"),
        "shim.js": "export const { useEffect } = window.React;",
        "helpdesk.js": sample("React", "jsx"),
        "main.js": REACT_MAIN,
    }


@pytest.mark.parametrize("framework", ["vue", "react"])
def test_the_sample_of_the_guide_embeds_once_and_follows_the_person(
    page: Page, root: str, desk: Desk, framework: str
) -> None:
    head, files = (VUE, vue_files()) if framework == "vue" else (REACT, react_files())
    open_host(page, root, head, files)
    page.locator("#launch").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator(".kind-greeting")).to_be_visible()
    assert desk.talk.user == {"name": "陈晓岚", "unit": "禾城市教育局", "region": "市本级"}
    frame.locator("#composer textarea").fill("怎么撤回")
    frame.locator("#composer textarea").press("Enter")
    expect(frame.locator(".from-bot .bubble").last).to_have_text("收到：怎么撤回")
    assert page.locator("script[src$='/widget.js']").count() == 1
    assert page.locator("#launch").count() == 1
    # Somebody else logs in on the same page: a conversation of their own.
    page.evaluate("becomes({ userId: 'u2', userName: '李华' })")
    expect(frame.locator(".from-user")).to_have_count(0)
    expect(frame.locator(".kind-greeting")).to_be_visible()
    assert sorted(talk.user["name"] for talk in desk.talks.values()) == ["李华", "陈晓岚"]
