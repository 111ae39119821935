"""What a whole message looks like, as a few marks beside its n-grams: does it ask, fail, want?

An n-gram of a long message is one of two hundred; that a message asks at all, or is a pasted line
of the screen, gets lost among them. Patterns are over folded text (:mod:`nlu.text`). The words are
content; what a mark speaks for is learned. Refuses to know intents.
"""

import re
from collections.abc import Mapping

_CLAUSE_END = re.compile(r"[,。!;\s、]+")
_ASKS = re.compile(
    r"\?|怎|咋|如何|什么|啥|为何|边[度个张一]|多[少久大]|[能可是]否|[能可][不唔]|可[不唔]?可以|是不是|要不要|有没有"
    r"|系咪|得唔得|使唔使|有冇(?!晒)|定系|还是|抑或|行不|吗|[么咩呢]\s*$|哪|几[时号点个]|乜"
    r"|点(?![击了开进完着不一到]|\W|$)|请问|请教|请说明|想问|求"
)
_MARKS: Mapping[str, re.Pattern[str]] = {
    "asks": _ASKS,
    "fails": re.compile(
        r"不|没|冇|唔|无法|失败|错|报|提示|退回|空白|卡|慢|异常|超时|丢|缺|少了|白屏|闪退|打回|拦|未"
    ),
    "allowed": re.compile(
        r"标准|规定|政策|允许|合规|上限|能报|报销|能不能[报发用付买列]|可[不唔]?可以报|不得|文件|依据|谁批"
        r"|核销|办法|限额|列支|发放|现金"
    ),
    "wants": re.compile(
        r"建议|希望|能不能[加增做改]|增加|新增|优化|改进|开发|要是能|最好能|想要|做一[张个]|给.{0,6}做|申请增"
    ),
    "person": re.compile(r"人工|真人|客服|工程师|师傅|转接|打电话|座机|上门"),
    "pasted": re.compile(r"[:=(]"),
    "self": re.compile(r"我|偶|俺|咱"),
}
#: Whether a failure is asked about or stated, and whether a question is about what is allowed.
_TOGETHER = ("fails", "allowed")
_LENGTHS = (6, 12, 20, 35)


def marks(folded: str) -> tuple[str, ...]:
    """The marks of a folded text; always the same for the same text."""
    met = [name for name, pattern in _MARKS.items() if pattern.search(folded)]
    how = "asked" if "asks" in met else "stated"
    found = [*met, how, *(f"{name} {how}" for name in _TOGETHER if name in met)]
    clauses = [clause for clause in _CLAUSE_END.split(folded) if clause]
    if clauses and _ASKS.search(clauses[-1]):
        found.append("asks last")
    return (*found, f"length {sum(len(folded) >= length for length in _LENGTHS)}")
