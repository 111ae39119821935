"""Conversation tokens that were seen to be right, so that each message need not look again."""

import hmac
from collections import OrderedDict

#: How many conversations are remembered; the one longest unused is forgotten first.
LIMIT = 20_000


class Admitted:
    """Hashes of right tokens by conversation. Knows only what it was told; a restart forgets."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._hashes: OrderedDict[str, str] = OrderedDict()

    def remember(self, conversation_id: str, token_hash: str) -> None:
        """This token opens this conversation."""
        self._hashes[conversation_id] = token_hash
        self._hashes.move_to_end(conversation_id)
        while len(self._hashes) > self._limit:
            self._hashes.popitem(last=False)

    def knows(self, conversation_id: str, token_hash: str) -> bool:
        """Whether the token was seen to open the conversation; ``False`` may mean unknown."""
        known = self._hashes.get(conversation_id)
        if known is None or not hmac.compare_digest(known, token_hash):
            return False
        self._hashes.move_to_end(conversation_id)
        return True

    def forget(self, conversation_id: str) -> None:
        """The token has changed or the conversation is gone."""
        self._hashes.pop(conversation_id, None)
