"""What a whole message looks like, as a few marks beside its n-grams: does it ask, fail, want?

An n-gram of a long message is one of two hundred; that a message asks at all, or is a pasted line
of the screen, gets lost among them. Patterns are over folded text (:mod:`nlu.text`). The words are
content; what a mark speaks for is learned. Refuses to know intents.
"""

import re
from collections.abc import Mapping

_CLAUSE_END = re.compile(r"[,。!;\s、]+")
#: Question words that are none in "what I click fails", "it still fails", "everything is gone".
_ASKS = re.compile(
    r"\?|(?<!不知)怎么?(?!回事)|咋|如何|什么(?!都)|啥(?!都)|为何|边[度个张一样]|多[少久大长]|[能可是]否|[能可][不唔]"
    r"|可[不唔]?可以|是不是|要不要|有没有|系咪|得唔得|使唔使|有冇(?!晒)|定系"
    r"|还是(?![不没老那这一要会弹报说提显空灰白打收旧往原])|抑或|行不|吗|[么咩呢]\s*$|哪(?!个都|里都|里哪里)"
    r"|几[时号点个耐多](?!人)|乜(?!都)|点(?:样|解|整|搞|做|算|先|填|用|处理|开|改)(?!了)"
    r"|请问|请教|请说明|请明确|想问|咨询|求(?!助手)|不\s*$|[行好]不"
)
#: The kinds of questions; where the last clause is one, that is a mark of its own.
_QUESTIONS: Mapping[str, re.Pattern[str]] = {
    "how": re.compile(
        r"怎么(?!回事|又|还|都|老|会|回)|怎样|如何|咋(?!又|还|回)|点样|点整|点搞|点先|步骤|流程|哪里|在哪|哪个|边度"
        r"|哪儿|入口|教"
    ),
    "why": re.compile(
        r"为什么|为啥|为何|点解|怎么(?:又|还|老|都|会|回事)|咋(?:又|还|回)|凭什么|凭啥|什么原因|啥原因|什么意思"
    ),
    "whether": re.compile(
        r"吗|么\s*$|是不是|要不要|能不能|可不可以|行不行|系咪|得唔得|使唔使|可唔可以|[可能是]否|会不会|算不算"
        r"|用不用|需不需要|行不|好不|不\s*$|还是.{0,12}$|定系"
    ),
    "which": re.compile(
        r"多久|多少|几[多耐时号天点]|什么时候|啥时候|哪[一些位种]|谁|边个|多大|多长"
    ),
}
_STATES: Mapping[str, re.Pattern[str]] = {
    "fails": re.compile(
        r"不|没|冇|唔|无法|失败|错|报|提示|退回|空白|卡|慢|异常|超时|丢|缺|少了|白屏|闪退|打回|拦|未"
    ),
    "allowed": re.compile(
        r"标准|规定|政策|允许|合规|上限|能报|报销|能不能[报发用付买列]|可[不唔]?可以报|不得|文件|依据|谁批"
        r"|核销|办法|限额|列支|发放|现金"
    ),
    "spending": re.compile(
        r"违规|给报|报得|能发|发补|贴|补助|上缴|奖金|福利|封顶|比例|口径|审批权限|处置|可以报|可唔可以报|编外|招待"
        r"|接待|差旅|住宿|讲课费|评审费|劳务"
    ),
    "wants": re.compile(
        r"建议|希望|能不能[加增做改]|增加|新增|优化|改进|开发|要是能|最好能|想要|做一[张个]|给.{0,6}做|申请增"
    ),
    "adds": re.compile(
        r"最好|如果能|加个|增设|能否[加增做改支]|可唔可以[加整]|支持|功能吧|吧\s*$|呗"
    ),
    "person": re.compile(r"人工|真人|客服|工程师|师傅|转接|打电话|座机|上门"),
    "pasted": re.compile(r"[:=(]"),
    "self": re.compile(r"我|偶|俺|咱"),
    "polite": re.compile(r"请问|请教|想问|咨询|问一下|问下|想了解|求|麻烦指点|请说明|请明确"),
    "reproach": re.compile(
        r"到底|谁负责|让我怎么|有没有人|像话|开什么玩笑|干什么|怎么算|搞什么|还要不要|算谁|谁来"
    ),
    "several": re.compile(
        r"全[单局镇市区县校院所部科]|[我你]们(?:科|局|镇|所|单位)|几个|好几|[两三四五六七八九十]+[个台位]"
        r"|都(?:是|这样|一样|不|打|进)|大家|所有|同事也|隔壁"
    ),
    "lately": re.compile(
        r"今天|昨天|刚才|刚刚|早上|上午|下午|现在|从.{1,6}开始|一直|突然|又|到现在|今朝|寻日|而家|上周|昨晚"
    ),
    "tried": re.compile(
        r"换[了过]|重启|重装|试[了过]|刷新|清了?缓存|重登|卸载|八百遍|好几[次遍]|再[点试]"
    ),
    "quoted": re.compile(r"提示|弹[出窗]?|显示|报错|说[我它该是]|写着|话我|佢话|返回"),
    "exclaimed": re.compile(r"!"),
    "question mark": re.compile(r"\?"),
}
#: What means another thing in a question than in a statement.
_TOGETHER = (
    *("fails", "allowed", "spending", "adds", "reproach", "several", "lately", "tried", "quoted"),
    *("exclaimed", "why"),
)
_LENGTHS = (6, 12, 20, 35)


def marks(folded: str) -> tuple[str, ...]:
    """The marks of a folded text; always the same for the same text."""
    asking = _met(_QUESTIONS, folded)
    met = [*asking, *_met(_STATES, folded)]
    how = "asked" if _ASKS.search(folded) else "stated"
    found = [*met, how, *(f"{name} {how}" for name in _TOGETHER if name in met)]
    if {"allowed", "spending"} & set(met):
        found.extend(f"allowed {name}" for name in asking if name in {"whether", "which"})
    clauses = [clause for clause in _CLAUSE_END.split(folded) if clause]
    if clauses and _ASKS.search(clauses[-1]):
        last = _met(_QUESTIONS, clauses[-1])
        found.extend(("asks last", *(f"{name} last" for name in last)))
    return (*found, f"length {sum(len(folded) >= length for length in _LENGTHS)}")


def _met(patterns: Mapping[str, re.Pattern[str]], text: str) -> list[str]:
    return [name for name, pattern in patterns.items() if pattern.search(text)]
