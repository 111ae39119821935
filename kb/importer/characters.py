"""Bytes to characters, and characters to the ones that were meant.

PDF producers write 页 as the radical ⻚ and 一 as ⼀, so searches miss them. Plain NFKC would mend
that, but it also turns ① into 1 and （） into (), which changes what a reader sees; so only glyph
variants are folded here.
"""

import re
import unicodedata

from charset_normalizer import from_bytes

# Unicode's EquivalentUnifiedIdeograph.txt, the radicals for which NFKC does nothing.
_RADICALS = str.maketrans(
    "⺁⺇⺊⺒⺓⺝⺟⺠⺩⺪⺫⺬⺼⺽⻁⻄⻅⻆⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻱⻳",
    "厂几卜巳幺月母民王疋目示月臼虎西见角贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龜龟",
)
_PRIVATE_BULLETS = dict.fromkeys(
    map(ord, "\uf06c\uf06e\uf075\uf076\uf077\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc"), "•"
)
_FOLDED = re.compile(
    "[\u2f00-\u2fdf\uf900-\ufaff\U0002f800-\U0002fa1f"  # radicals, compatibility ideographs
    "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff65-\uff9f"  # full-width and half-width letters
    "\ufb00-\ufb06\ufe10-\ufe19\ufe30-\ufe4f]"  # ligatures, vertical forms
)
_SPACES = re.compile("[\t\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile("[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u200b-\u200f\u202a-\u202e"
                        "\u2060-\u2064\ufeff\ufffe\uffff\ue000-\uf8ff]")  # fmt: skip
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_REPLACED_SHARE = 0.01


def fold_glyphs(text: str) -> str:
    """The same words without glyph variants and invisible characters; ①, （ and ： stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _INVISIBLE.sub("", text.translate(_PRIVATE_BULLETS)).translate(_RADICALS)
    return _FOLDED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def tidy(text: str) -> str:
    """One line: glyphs folded, runs of blanks made one, ends trimmed; line ends become blanks."""
    return _SPACES.sub(" ", fold_glyphs(text).replace("\n", " ")).strip()


def tidy_lines(text: str) -> str:
    """Several lines, each tidied; blank lines dropped."""
    lines = (tidy(line) for line in fold_glyphs(text).splitlines())
    return "\n".join(line for line in lines if line)


def decode(data: bytes, declared: str | None = None) -> tuple[str, bool]:
    """Text of a file of unknown encoding, and whether some bytes had to be replaced.

    A byte order mark wins over what the file declares, and bytes that are valid UTF-8 win over a
    declaration too: pages that say gb2312 and are UTF-8 are common, the reverse does not decode.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), False
    for candidate in ("utf-8", declared, "gb18030"):
        decoded = _strict(data, candidate)
        if decoded is not None and _plausible(decoded):
            return decoded, False
    return _guess(data)


def _strict(data: bytes, encoding: str | None) -> str | None:
    if encoding is None:
        return None
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _plausible(text: str) -> bool:
    """GB18030 decodes nearly anything; private-use and unassigned characters give it away."""
    sample = text[:20_000]
    odd = sum(unicodedata.category(char) in {"Co", "Cn"} for char in sample)
    return odd <= len(sample) * _REPLACED_SHARE


def _guess(data: bytes) -> tuple[str, bool]:
    best = from_bytes(data[:200_000]).best()
    encoding = best.encoding if best else "utf-8"
    text = data.decode(encoding, errors="replace")
    return text, "\ufffd" in text
