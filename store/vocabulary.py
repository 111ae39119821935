"""Words that more than one package writes at rest: severities and ticket categories.

The values are the terms of the service contracts, so that rows, API and reports read alike.
Nothing here decides anything.
"""

from enum import StrEnum


class Severity(StrEnum):
    """How badly finance work is affected, as the service contracts name it; lowest first."""

    GENERAL = "一般"
    URGENT = "紧急"
    MAJOR = "重大"

    @property
    def rank(self) -> int:
        """0 for the lowest; a larger number is more severe."""
        return tuple(Severity).index(self)


class Category(StrEnum):
    """What kind of request a ticket is."""

    HOW_TO = "操作咨询"
    FAULT = "系统故障"
    ACCOUNT = "权限账号"
    DATA = "数据问题"
    REQUIREMENT = "需求建议"
    POLICY = "业务政策"
