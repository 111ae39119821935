"""Identity, bank-card and mobile numbers and pasted passwords are masked before they rest.

Facts: resident identity numbers have 18 digits with a check character (GB 11643-1999);
UnionPay cards have 16 to 19 digits with a Luhn check digit; mobile numbers have 11 digits.
Voucher and payment-code numbers stay readable: without them nobody can find the document.
"""

import re
from dataclasses import dataclass

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_NOT_IN_NUMBER = r"(?<![0-9A-Za-z*])"
_NOT_BEFORE_NUMBER = r"(?![0-9A-Za-z*])"

_ID = re.compile(rf"{_NOT_IN_NUMBER}(\d{{6}})[ -]?((?:18|19|20)\d{{6}})[ -]?(\d{{3}}[\dXx])(?!\d)")
_CARD = re.compile(rf"{_NOT_IN_NUMBER}((?:\d[ -]?){{15,18}}\d){_NOT_BEFORE_NUMBER}")
_MOBILE = re.compile(r"(?<![0-9*])(?:(?:\+?86)[ -]?)?(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})(?!\d)")
_PASSWORD = re.compile(
    r"(?P<label>(?:密码|口令|PIN码?|password|passwd|pwd)\s*(?:是|为|[:：=])\s*)"
    r"(?P<secret>[!-~]{4,64})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Masked:
    """Text that may rest, and what was taken out of it (codes: id, card, mobile, password)."""

    text: str
    found: frozenset[str]


def mask(text: str) -> Masked:
    """Mask what must not rest. Keeps enough of a number for its owner to recognise it."""
    found: set[str] = set()

    def identity(match: re.Match[str]) -> str:
        digits = "".join(match.groups())
        if not _is_identity_number(digits):
            return match.group()
        found.add("id")
        return f"{digits[:6]}********{digits[-4:]}"

    def card(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match.group())
        if digits[0] not in "3456" or not _passes_luhn(digits):
            return match.group()
        found.add("card")
        return f"{digits[:4]}{'*' * (len(digits) - 8)}{digits[-4:]}"

    def mobile(match: re.Match[str]) -> str:
        found.add("mobile")
        return f"{match.group(1)}****{match.group(3)}"

    def password(match: re.Match[str]) -> str:
        found.add("password")
        return f"{match.group('label')}******"

    text = _ID.sub(identity, text)
    text = _CARD.sub(card, text)
    text = _MOBILE.sub(mobile, text)
    text = _PASSWORD.sub(password, text)
    return Masked(text, frozenset(found))


def _is_identity_number(digits: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(digits[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECK[total % 11] == digits[17].upper()


def _passes_luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit)
        if position % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0
