"""Entities told by their form: numbers, years, offices, deadlines, quoted errors, who is hit.

Patterns are over folded text (:mod:`nlu.text`). A named group ``it`` is the entity, else the whole
match. Refuses to look anything up; known phrases are :mod:`nlu.entities`' business.
"""

import re
from collections.abc import Iterator

from nlu.types import Entity, EntityName

_HAN = r"[一-龥]"
_COUNT = r"(?:(?<![一二])[三四五六七八九十几多]|\d{1,2}|好几|好多|很多|许多|不少|十几|二十几|几十)"

_DAY = (
    r"(?:今[天日晚早]|明[天日晚早]|听[日晚]|后天|大后天|当[天日]|[本这下]个?(?:周|星期)[一二三四五六日天末]?"
    r"|(?:周|星期|礼拜)[一二三四五六日天末]|[本这下]个?月[底末尾]?|月[底末尾]|年[底末尾]|[本下]?季度?末|节前"
    r"|国庆|春节|元旦|中秋|封账|关账|发工资|出粮|发薪|开会|下班|中午|下午|上午|早上|晚上|凌晨"
    r"|\d{1,2}月\d{1,2}[日号]?|\d{1,2}[日号]|[\d一二两三四五六七八九十]{1,3}(?:点半?|时)|零点)"
)
_SPAN = r"(?:半个?|[\d一二两三四五六七八九十几]{1,3}个?)(?:小时|钟头|分钟|天|个?工作日|周|星期)"
_DUE = r"(?:截止|截数|到期|关[网闸]|要[付报交]|必须[付报交]出?|一定|最后一天)"

_OFFICE = (
    r"(?:财政[局所办厅]|财政分局|人民政府|[镇区县市]政府|街道办事处|街道办|居委会?|村委会?|管委会|党政办"
    r"|办事处|(?:财政|农业农村|经促|经济发展|社保|城建|综治|宣传|组织|统计)办|[局委厅]|中学|小学|学校"
    r"|幼儿园|职中|党校|大学|学院|医院|卫生院|卫生(?:服务)?(?:中心|站)|疾控中心|图书馆|博物馆|文化[馆站]"
    r"|体育馆|档案馆|(?:服务|事务|管理|发展|监测)中心|[大支]队|研究[所院]|供销社|福利院|敬老院|司法所)"
)
#: Words that lead up to an office's name: the name is what follows the last of them.
_LEADING = re.compile(
    r".*(?:我们?(?:是|系|在)?|我哋(?:系)?|咱们?(?:是)?|是|系|在|的|嘅|叫做?|来自?|代表|和|跟|与|同|请|麻烦|帮|查"
    r"|一下|去|到|给|问了?|比|有|某|哪[个家]?|各个?|全称?|整个|每个?|几个|所有|下属|其他|别的|这边|这里|那边|那个"
    r"|向|找|把|让|被|从|为|对|买|单位[:是])"
)
#: A name tells which office it is: by its place, its level, its number or its kind.
_NAMED = re.compile(r"[市区镇县省乡村]|街道|第[一-十]|实验|人民|中心小学|附属")

_SAYS = (
    r"(?:提示语?|提示框?|报错|报(?![表送销局障修])|弹出来?|弹(?!窗)|显示|写着|写的是?|错误信息|出现|跳出|它说"
    r"|一行|代码|错误码|状态码)(?:框|红框|的|说|话|嚟|了|个|内容|原话|是|着|写|代码|信息|一直|就){0,4}[:]?\s?"
)
_ERROR_END = (
    r"(?=$|[,。!?;:\n\"”」』 ]|怎么|咋|点[算办搞]|是什|什么意思|啥|要[怎去]|应该|进不|关不|可是|但"
    r"|刷新|然后|昨天|的|一直)"
)
_ERROR_CORE = (
    r"(?:异常|错误|失败|超时|不足|不存在|为空|锁死|锁定|冻结|中断|冲突|拒绝|重置|过期|受限|受信任"
    r"|不正确|不一致|不可用|未(?:登录|授权|检测|绑定|取到|配置|通过|填|初始化|经)[^,。!?; ]{0,10}"
    r"|无权[^,。!?; ]{1,8}|没装[^,。!?; ]{1,6}|请[^,。!?; ]{2,14}|没有[^,。!?; ]{2,10}权限"
    r"|无法[^,。!?; ]{2,8}|不可[^,。!?; 是用]{1,6}|超过[^,。!?; ]{2,8}|超了|维护中|稍候|不通过)"
)
#: A word that only says that something went wrong is no error text.
_PLAIN = frozenset({"异常", "错误", "失败", "超时", "冻结", "过期", "拒绝"})

_FORMATS: tuple[tuple[EntityName, str], ...] = (
    (EntityName.TICKET_NUMBER, r"cw[ -]?20\d{6}[ -]?\d{4}"),
    (EntityName.PHONE, r"1[3-9]\d[ -]?\d{4}[ -]?\d{4}"),
    (EntityName.PHONE, r"0\d{2,3}[ -]?\d{7,8}"),
    (EntityName.DOCUMENT_NUMBER, r"[a-z]{2,6}-?20\d{2}-?\d{4,12}"),
    (EntityName.DOCUMENT_NUMBER, r"20\d{7,14}(?:-\d{4})?|\d{16}|\d{20}"),
    (EntityName.DOCUMENT_NUMBER, r"(?<!\d)[记转付收]-?\d{3,4}(?=号|$|[^\d元块万])"),
    (EntityName.DOCUMENT_NUMBER, r"(?:号|是)?(?P<it>[一-龥]{2,4}〔20\d\d〕\d+号)"),
    (EntityName.FISCAL_YEAR, r"20[0-4]\d年度?(?!\d{1,2}月)|(?<![\d年])2\d年度?(?!\d{1,2}月)"),
    (
        EntityName.FISCAL_YEAR,
        r"(?:今|去|明|(?<![以之])前|上|下|本|当|旧)年(?:度|(?![底末轻龄份纪来]))|[上下]一?个?年度|新年度",
    ),
    (EntityName.ERROR_TEXT, rf"{_SAYS}[\"“「『](?P<it>[^\"”」』]{{2,60}})[\"”」』]"),
    (EntityName.ERROR_TEXT, rf"{_SAYS}(?P<it>[^,。!?;:\"“\n的]{{0,24}}?{_ERROR_CORE}){_ERROR_END}"),
    (
        EntityName.ERROR_TEXT,
        r"(?:[45]0\d|413)(?: [a-z]+(?: [a-z]+){0,2})?(?=错误|$|[^\d块元万人个张笔号a-z])",
    ),
    (
        EntityName.ERROR_TEXT,
        r"err_[a-z_]+|ora-\d{4,5}|e\d{4}|0x[\da-f]{6,8}|java\.[a-z.]+exception",
    ),
    (
        EntityName.ERROR_TEXT,
        r"(?:[a-z]+ ){1,8}?(?:error|denied|refused|failed|timeout|invalid|unavailable|forbidden"
        r"|found|context|exception|gateway)(?: [a-z]+){0,3}",
    ),
    (
        EntityName.DEADLINE,
        rf"(?:最[迟晚])?{_DAY}{{1,3}}(?:之前|以前|前|之内|以?内)|{_SPAN}(?:之内|以内|内)",
    ),
    (
        EntityName.DEADLINE,
        rf"(?:最[迟晚]){_DAY}{{1,3}}|{_DAY}{{1,2}}(?:银行)?(?:就|要|必须|得)?{_DUE}",
    ),
    (EntityName.UNIT, rf"{_HAN}{{0,14}}{_OFFICE}"),
    (EntityName.SCOPE, rf"{_COUNT}个(?:下属|预算)?(?:单位|学校|镇街?|街道|区)(?!信息|资金)"),
    (
        EntityName.SCOPE,
        r"(?:就|只有|单单|只系)我(?:自己|一个人?|这台(?:电脑)?|一台(?:电脑)?)?|我(?:自己)?一个人",
    ),
    (
        EntityName.SCOPE,
        r"(?:全|成个?|整个)(?:单位(?!资金)|局|校|院|区|市|镇|县|省|科室|办公室|学校|医院|部门)",
    ),
    (
        EntityName.SCOPE,
        r"所有(?:下属|预算)?(?:单位|人(?!员)|学校|用户|同事|网点|电脑)|我们单位所有人|大家(?!好)都?|各单位",
    ),
)


class FormatFinder:
    """Finds every format. Compiled once; immutable and safe across threads."""

    def __init__(self) -> None:
        self._compiled = tuple((name, re.compile(pattern)) for name, pattern in _FORMATS)

    def find(self, folded: str, text: str) -> Iterator[Entity]:
        """Entities by form in a folded text; the values are as ``text`` spells them."""
        for name, pattern in self._compiled:
            for found in pattern.finditer(folded):
                start, end = found.span("it" if "it" in pattern.groupindex else 0)
                if name is EntityName.UNIT:
                    start = _office_start(folded, start, end)
                if (
                    start < end
                    and folded[start:end] not in _PLAIN
                    and whole_word(folded, start, end)
                ):
                    said = normal_form(name, text[start:end], folded[start:end])
                    yield Entity(name, said, start, end)


def whole_word(folded: str, start: int, end: int) -> bool:
    """Latin words and numbers are not found inside longer ones."""
    return not (
        (_latin(folded[start]) and start > 0 and _latin(folded[start - 1]))
        or (_latin(folded[end - 1]) and end < len(folded) and _latin(folded[end]))
    )


def normal_form(name: EntityName, said: str, folded: str) -> str:
    """One spelling for the same number; other entities as they were said."""
    if name is EntityName.TICKET_NUMBER:
        digits = re.sub(r"\D", "", folded)
        return f"CW{digits[:8]}-{digits[8:]}"
    if name is EntityName.PHONE:
        return re.sub(r"[\s-]", "", folded) if folded.startswith("1") else folded
    return said


def _office_start(folded: str, start: int, end: int) -> int:
    """Where the office's name begins after the words leading up to it; ``end`` for no name."""
    led = _LEADING.match(folded[start:end])
    begin = start + led.end() if led else start
    everyone = begin > 0 and folded[begin - 1] in "全各"
    named = end - begin > 3 and _NAMED.search(folded, begin, end)
    return begin if named and not everyone else end


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
