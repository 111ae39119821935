"""How a single line looks: like a heading, a label, a remark, a caption, or boilerplate.

Pure tests on text. Nothing here knows the rest of the file.
"""

import re

_ENDS_SENTENCE = "。；;，,、！!…～~"
_INSIDE_SENTENCE = re.compile("[。；;！!]")
_COMMA = re.compile("[，,](?=\\S{3})")
_POINTS_AT_PICTURE = re.compile(
    "(?:如下|如图|下图|上图|如下图|所示|如下所示|以下(?:步骤|界面|页面))[：:]?$"
)
_WORD = re.compile("[\u4e00-\u9fffA-Za-z]")
_URL = re.compile(r"https?://|www\.|@\w+\.", re.IGNORECASE)
_INSTRUCTION = re.compile(
    "点击|单击|双击|右击|选择|选中|输入|打开|进入|勾选|填写|在|如果|如|若|当|登录|登陆|按|将|把|通过|"
    "使用|系统|请|此|该|可|对|用|从|需|确认|我|本|由|因|为|根据|首先|然后|接着|最后|返回|上传|下载|"
    "查看|拖动|弹出"
)
_LABELS = """
操作步骤 操作说明 操作方法 操作流程 操作路径 操作入口 界面说明 页面说明 功能说明 功能描述 功能介绍
字段说明 按钮说明 参数说明 前置条件 前提条件 使用前提 菜单路径 菜单位置 功能路径 功能入口 路径 入口
步骤 步骤如下 具体步骤 具体操作 具体步骤如下 说明 结果 操作结果 图示 示例 举例 例如
适用范围 适用情形 输入项 输出项 审批要求 业务规则 规则 相关说明 注意事项 注意 提示 备注
操作步驟 操作說明 注意事項 說明 備註
"""
LABEL_WORDS = frozenset(_LABELS.split())
_REMARKS = {
    "注意事项": "warning", "注意": "warning", "特别注意": "warning", "请注意": "warning",
    "警告": "warning", "特别提醒": "warning", "特别说明": "warning", "重要提示": "warning",
    "重要": "warning", "温馨提示": "tip", "友情提示": "tip", "小贴士": "tip", "提示": "tip",
    "提醒": "tip", "tips": "tip", "tip": "tip", "注": "note", "说明": "note", "备注": "note",
    "note": "note", "附注": "note", "說明": "note", "備註": "note", "註": "note",
    "注意事項": "warning", "溫馨提示": "tip",
}  # fmt: skip
_REMARK_WORDS = "|".join(sorted(_REMARKS, key=len, reverse=True))
_REMARK = re.compile(
    rf"[★☆※▲△■]?\s*【?({_REMARK_WORDS})\s*(?:】[:：]?|[:：]】?)\s*",
    re.IGNORECASE,
)
_STARRED = re.compile(r"[★※▲]\s*(?=\S)")
_CAPTION = re.compile(
    r"(?:附?图|表|Figure|Fig\.?|Table)\s?(?P<n>[0-9A-Za-z一二三四五六七八九十]{1,3}"
    r"(?:\s?[-－—.．]\s?\d{1,3})*[a-z]?)(?P<tail>$|[\s:：、.．]|(?=[\u4e00-\u9fff“]))"
)
_CAPTION_PROSE = re.compile("[。；]|所示|[是中为，]")
_BRACKET_CAPTION = re.compile(r"[(（][^()（）]{2,40}[)）]$")
_RULE = re.compile(r"[\s_＿─―—━═=＝*＊\-－~～·.…┄┈﹍]{4,}$")
_PAGE_NUMBER = re.compile(
    r"第\s*\d+\s*页(?:[\s,，/]*共\s*\d+\s*页)?$|[-—–]\s*\d{1,4}\s*[-—–]$|"
    r"(?:page\s*)?\d{1,4}\s*(?:/|of)\s*\d{1,4}$",
    re.IGNORECASE,
)
_DOT_LEADER = re.compile(r"(?:[.．·…]\s?){4,}\s*\d{0,4}$|\t\d{1,4}$")
_LINKS_BACK = """
返回顶部 回到顶部 返回目录 返回首页 返回上一页 上一篇 下一篇 上一页 下一页 top 关闭窗口 打印本页
"""
_BOILERPLATE = frozenset(_LINKS_BACK.split())
_DRAWING = re.compile("[─━│┃┌┐└┘├┤┬┴┼╔╗╚╝║═▼▲►◄↓↑]")
HEADING_CHARS = 40
NUMBERED_CHARS = 30
_CLAUSE_CHARS = 20
_LEAST_REST_CHARS = 8


def heading_shaped(text: str, limit: int = HEADING_CHARS) -> bool:
    """Short, with words in it, and not a sentence."""
    return _COMMA.search(text) is None and could_be_heading(text, limit)


def could_be_heading(text: str, limit: int = NUMBERED_CHARS) -> bool:
    """The same with commas allowed: `（二）能打印，升级后打不出来` has a number to vouch for it."""
    if not 1 <= len(text) <= limit or text[-1] in _ENDS_SENTENCE:
        return False
    if _INSIDE_SENTENCE.search(text) or _URL.search(text) or not _WORD.search(text):
        return False
    return not _POINTS_AT_PICTURE.search(text)


def run_in(text: str) -> tuple[str, str] | None:
    """Heading and answer in one paragraph, parted: `布局管理，系统按…` → 布局管理 | 系统按….

    None where the first clause is an instruction or no name at all.
    """
    match = re.match(rf"([^，。：:；;,]{{2,{_CLAUSE_CHARS}}})([，。：:])", text)
    if match is None or len(text) - match.end() < _LEAST_REST_CHARS:
        return None
    if match[2] in "，。" and _INSTRUCTION.match(match[1]):
        return None
    if not _WORD.search(match[1]) or _URL.match(text):
        return None
    return match[1].strip(), text[match.end() :].strip()


def is_instruction(text: str) -> bool:
    """Whether the line tells the reader to do something, as steps do and headings do not."""
    return _INSTRUCTION.match(text) is not None


def label_word(text: str) -> str | None:
    """The word of a line such as 操作步骤： that names what follows without being a heading."""
    word = text.strip("【】[]〖〗 ").rstrip("：: ")
    return word if word in LABEL_WORDS else None


def remark(text: str) -> tuple[str, str, str] | None:
    """Kind, title and text of a line such as `注意：…` or `★…`; None for any other line."""
    match = _REMARK.match(text)
    if match is not None:
        return _REMARKS[match[1].lower()], match[1], text[match.end() :]
    starred = _STARRED.match(text)
    return None if starred is None else ("warning", "", text[starred.end() :])


def caption_number(text: str) -> str | None:
    """`3-2` for `图3-2 录入界面`; None where the line is not the caption of a picture or table."""
    match = _CAPTION.match(text)
    if (
        match is None
        or len(text) > 60
        or _CAPTION_PROSE.search(text[match.end() : match.end() + 4])
    ):
        return None
    return re.sub(r"\s", "", match["n"]).replace("－", "-").replace("．", ".")


def is_table_caption(text: str) -> bool:
    """`表2-1 …` rather than `图2-1 …`."""
    return text.startswith(("表", "Table", "table")) and caption_number(text) is not None


def is_bracket_caption(text: str) -> bool:
    """`（申请付款页面）` right below a picture names it."""
    return _BRACKET_CAPTION.match(text) is not None


def is_boilerplate(text: str) -> bool:
    """Rules, page numbers, dot leaders, links back to the top."""
    if _RULE.match(text) or _PAGE_NUMBER.match(text) or text.lower() in _BOILERPLATE:
        return True
    return _DOT_LEADER.search(text) is not None


def is_drawing(text: str) -> bool:
    """A diagram made of characters, whose line ends and blanks must stay; a mere rule is none."""
    return _RULE.match(text) is None and len(_DRAWING.findall(text)) >= 4
