"""What the cover of a guide says about its validity, read as facts that an editor may correct.

Pure. Takes only what is unmistakable: a year when one is named, a date when it is whole.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date

from kb.errors import GuideInvalid
from kb.guide_facts import GuideFacts

_NUMBER = ("文号", "发文字号", "发文文号", "文件编号")
_AUDIENCE = ("适用对象", "适用用户", "适用人员", "适用单位", "适用岗位")
_YEAR = ("适用年度", "财政年度", "预算年度", "适用财政年度")
_FROM = ("生效日期", "施行日期", "实施日期", "执行日期")
_UNTIL = ("失效日期", "有效期至", "废止日期")
_DATE = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})\s*日?")
_YEARS = re.compile(r"(?<!\d)20\d\d(?!\d)")
_APART = re.compile(r"[、，,;；\s]+")


def cover_facts(meta: Mapping[str, str]) -> GuideFacts:
    """Facts from the labels and values of a cover; what cannot be kept is left out."""
    years = set(_YEARS.findall(_value(meta, _YEAR)))
    facts = GuideFacts(
        document_number=_value(meta, _NUMBER)[:100],
        effective_from=_date(_value(meta, _FROM)),
        effective_until=_date(_value(meta, _UNTIL)),
        fiscal_year=int(years.pop()) if len(years) == 1 else None,
        audience=tuple(one[:100] for one in _APART.split(_value(meta, _AUDIENCE)) if one)[:100],
    )
    try:
        return facts.checked()
    except GuideInvalid:
        return GuideFacts(fiscal_year=facts.fiscal_year, audience=facts.audience).checked()


def _value(meta: Mapping[str, str], labels: Iterable[str]) -> str:
    return next((meta[label].strip() for label in labels if meta.get(label, "").strip()), "")


def _date(text: str) -> date | None:
    found = _DATE.search(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None
