"""A conversation with a message of every kind, as the product would send them."""

from typing import Any

from tests.browser.widget_harness.desk import Reply, days_ago

SCREEN = "5c" * 32
SECOND = "5d" * 32
ICON = "1c" * 32

GREETING: Reply = (
    "bot",
    "greeting",
    "上午好，我是财问，财政业务系统的在线助手。",
    {
        "at": days_ago(1.2),
        "hot_questions": [
            "年底支付什么时候停止受理",
            "年终结转结余怎么处理",
            "支付申请送审后怎么撤回",
            "UKey 插上没有反应",
            "指标可用余额不足怎么办",
            "电子票据开错了怎么冲红",
        ],
        "secrecy": "请勿发送涉密信息。身份证号、银行卡号、手机号会自动打码后再保存。",
    },
)

ANSWER: Reply = (
    "bot",
    "answer",
    "支付申请送审后怎么撤回……",
    {
        "answer_id": "a1",
        "ref": "ZF03",
        "title": "撤回已经送审的支付申请",
        "module": "国库集中支付",
        "blocks": [
            {
                "kind": "paragraph",
                "text": "下一岗还没有审核时，录入人可以自己撤回；已经审核的，要请审核岗退回。",
                "label": None,
            },
            {"kind": "step", "number": "1、", "text": "进入“国库集中支付 › 支付申请录入”。"},
            {
                "kind": "step",
                "number": "2、",
                "text": "切换到“已送审”页签，勾选单据，点击[图标]撤回按钮。",
                "icons": [{"kind": "image", "sha256": ICON, "name": "icon.png", "caption": ""}],
            },
            {
                "kind": "image",
                "sha256": SCREEN,
                "url": f"/media/{SCREEN}",
                "caption": "已送审页签中的撤回按钮",
                "width": 1200,
                "height": 640,
            },
            {"kind": "step", "number": "3、", "text": "确认后单据回到“待送审”，修改后重新送审。"},
            {
                "kind": "table",
                "rows": [
                    ["单据状态", "谁能处理", "怎么处理"],
                    ["待审核", "录入岗", "撤回"],
                    ["已审核", "审核岗", "退回上一岗"],
                    ["已生成凭证", "国库支付中心", "作废凭证后再退回"],
                ],
                "header_rows": 1,
                "caption": "不同状态的处理办法",
            },
            {
                "kind": "callout",
                "callout": "warning",
                "text": "撤回会释放已占用的指标额度，请在当天重新送审。",
                "title": "",
            },
            {
                "kind": "callout",
                "callout": "tip",
                "text": "按住 Ctrl 可以一次勾选多张单据。",
                "title": "小技巧",
            },
        ],
        "images": [
            {
                "kind": "image",
                "sha256": SECOND,
                "url": f"/media/{SECOND}",
                "caption": "撤回后的待送审列表",
                "width": 1200,
                "height": 640,
            }
        ],
        "source": {
            "guide": "国库集中支付用户操作手册",
            "version": "V2.3",
            "section": "3 支付申请 › 3.4 撤回",
            "issued": "2026-03",
            "page": 18,
            "file": "02.docx",
        },
    },
)

OFFER: Reply = (
    "bot",
    "offer",
    "您想问的是不是下面这些？\n1. …",
    {
        "lead": "您想问的是不是下面这些？",
        "candidates": [
            {"answer_id": "b1", "title": "指标可用余额不足怎么办"},
            {"answer_id": "b2", "title": "用款额度不足怎么办"},
            {"answer_id": "b3", "title": "怎么查询指标的支付明细"},
        ],
    },
)

ASK: Reply = (
    "bot",
    "ask",
    "您说的“额度”，是下面哪一种？",
    {"options": ["预算指标", "用款额度", "公务卡额度"]},
)


def ticket(status: str = "新建", severity: str = "重大") -> Reply:
    """A ticket card."""
    data: dict[str, Any] = {
        "number": "CW20261121-0007",
        "status": status,
        "severity": severity,
        "category": "系统故障",
        "module": "国库集中支付",
        "title": "全市都打不开支付模块，今天要发工资",
        "promise": "承诺 11月21日（周六）09:40 前首次响应。",
        "due_at": "2026-11-21T01:40:00+00:00",
        "reasons": ["影响范围：全市（“全市都”）", "核心业务停止：支付（“打不开支付模块”）"],
    }
    text = f"已按“{severity}”登记工单 CW20261121-0007 并立即通知工程师。"
    return ("bot", "ticket", text, data)


def queue(position: int = 2, minutes: int | None = 6, *, off_hours: bool = False) -> Reply:
    """A queue card."""
    data = {
        "position": position,
        "minutes": minutes,
        "number": "CW20261121-0007",
        "off_hours": off_hours,
    }
    return ("system", "queue", "已为您排队等候工程师，工单 CW20261121-0007。", data)


ENGINEER = {"name": "陈工", "post": "一线工程师"}
JOINED: Reply = ("system", "joined", "陈工（一线工程师）已接入，由工程师直接为您服务。", ENGINEER)
REPLIED: Reply = (
    "engineer",
    "text",
    "您好，支付服务的一个节点异常，正在切换，请稍等几分钟。\n进展见 https://example.org/status 。",
    ENGINEER,
)
RESOLVED: Reply = (
    "system",
    "resolved",
    "工程师已处理完工单。",
    {
        "number": "CW20261121-0007",
        "cause": "支付服务的一个节点内存耗尽。",
        "solution": "已切换到备用节点并重启，请刷新页面后重新登录。",
    },
)
RETURNED: Reply = ("system", "returned", "工程师已结束服务，接下来由财问继续为您解答。", {})
RATING: Reply = ("system", "rating_request", "请为本次服务打个分：", {"number": "CW20261121-0007"})


def said(text: str) -> Reply:
    """The user's words."""
    return ("user", "text", text, {"client_msg_id": f"shown-{abs(hash(text))}"})


CONVERSATION: tuple[Reply, ...] = (
    said("支付申请送审了怎么撤回？"),
    ANSWER,
    said("额度不够了"),
    ASK,
    OFFER,
    said("都不是"),
    said("全市都打不开支付模块，今天要发工资！！"),
    ticket(),
    queue(),
    JOINED,
    REPLIED,
    said("好的，谢谢"),
    RESOLVED,
    RATING,
    RETURNED,
)
