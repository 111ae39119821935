"""Long text in parts that a channel takes, cut where a reader would pause."""

#: A part may end after these; better ones first.
_PAUSES = ("\n\n", "\n", "。", "！", "？", "；", ". ", "! ", "? ", "，", " ")
#: Room for the "(12/34)" of a part, in characters.
_MARK_CHARS = 12


def in_parts(text: str, limit: int, encoding: str = "utf-8") -> list[str]:
    """The text in parts of at most ``limit`` bytes, numbered when there are several.

    ``encoding`` is what the channel counts in. Without their numbers the parts make up the text
    again, whole characters throughout.
    """
    if len(text.encode(encoding)) <= limit:
        return [text]
    room = limit - len(" ".encode(encoding)) * _MARK_CHARS
    parts = []
    rest = text
    while rest:
        cut = _cut(rest, room, encoding)
        parts.append(rest[:cut])
        rest = rest[cut:]
    return [f"{part}({n}/{len(parts)})" for n, part in enumerate(parts, 1)]


def _cut(text: str, room: int, encoding: str) -> int:
    """How many characters fit, back to the last pause of the second half."""
    fitting = text.encode(encoding)[:room].decode(encoding, errors="ignore")
    most = len(fitting)
    if most == len(text):
        return most
    for pause in _PAUSES:
        at = fitting.rfind(pause)
        if at + len(pause) > most // 2:
            return at + len(pause)
    return most
