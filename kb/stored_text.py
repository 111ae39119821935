"""Makes any imported text storable in both databases.

PostgreSQL refuses NUL characters and both refuse lone surrogates; documents contain either. Nothing
else is changed: what users read stays as the author wrote it.
"""

from typing import Any


def storable(text: str) -> str:
    """The text without NUL characters, lone surrogates replaced by U+FFFD."""
    text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def storable_json(value: Any) -> Any:
    """The same for every text within a JSON value."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(str(key)): storable_json(item) for key, item in value.items()}
        case list() | tuple():
            return [storable_json(item) for item in value]
        case _:
            return value
