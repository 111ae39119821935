"""The transition table as a page of the documentation.

``python -m handoff.reference PATH`` writes it; a test compares it with
``docs/reference/ticket-transitions.md``. Refuses to add anything that the table does not say.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from handoff.ticket import (
    FINAL_STATUSES,
    HOLDER_ACTIONS,
    OPENED,
    PERFORMERS,
    TRANSITIONS,
    VISIBLE_TO_USER,
    Action,
    Status,
)

_HEAD = """# Ticket transitions

Generated from `handoff/ticket.py`; edit the table there, not here:
`python -m handoff.reference docs/reference/ticket-transitions.md`.
"""


def transitions_page() -> str:
    """The whole page in Markdown."""
    sections = (_HEAD, _diagram(), _table(), _actions())
    return "\n".join(sections)


def _diagram() -> str:
    lines = ["## Picture", "", "```mermaid", "stateDiagram-v2", f"    [*] --> {OPENED}: open"]
    lines += [f"    {start} --> {end}: {names}" for start, end, names in _moves()]
    lines += [f"    {status} --> [*]" for status in Status if status in FINAL_STATUSES]
    return "\n".join([*lines, "```", ""])


def _moves() -> Iterator[tuple[Status, Status, str]]:
    for start in Status:
        for end in Status:
            names = [action.value for action in Action if TRANSITIONS.get((start, action)) is end]
            if names and start is not end:
                yield start, end, ", ".join(names)


def _table() -> str:
    used = [action for action in Action if any(key[1] is action for key in TRANSITIONS)]
    lines = [
        "## Where each action leads",
        "",
        "| action | " + " | ".join(Status) + " |",
        "|---" * (len(Status) + 1) + "|",
    ]
    for action in used:
        cells = [TRANSITIONS.get((status, action), "·") for status in Status]
        lines.append(f"| `{action.value}` | " + " | ".join(cells) + " |")
    lines += ["", "`·`: not possible.", ""]
    return "\n".join(lines)


def _actions() -> str:
    lines = [
        "## Who acts",
        "",
        "| action | performed by | holder only | the asker is told |",
        "|---|---|---|---|",
    ]
    for action in Action:
        performers = ", ".join(kind for kind in sorted(PERFORMERS[action]))
        holder = "yes" if action in HOLDER_ACTIONS else ""
        visible = "yes" if action in VISIBLE_TO_USER else ""
        lines.append(f"| `{action.value}` | {performers} | {holder} | {visible} |")
    lines += ["", "*Holder only*: an engineer needs the ticket assigned to them.", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(transitions_page(), encoding="utf-8")
