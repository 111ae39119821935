"""A channel in memory: deliveries are kept in a list. For tests and demonstrations."""

from connectors.base import Delivery, PermanentError, TransientError


class MemoryChannel:
    """Keeps what was delivered, each dedupe key once, in order; can be told to fail.

    ``failures`` are raised one by one by the next sends.
    """

    def __init__(self, name: str = "memory") -> None:
        self._name = name
        self.delivered: list[Delivery] = []
        self.attempts: list[str] = []
        self.failures: list[TransientError | PermanentError] = []

    @property
    def name(self) -> str:
        return self._name

    async def send(self, delivery: Delivery) -> None:
        """Keep the delivery, unless a failure is due or it is known already."""
        self.attempts.append(delivery.dedupe_key)
        if self.failures:
            raise self.failures.pop(0)
        if all(known.dedupe_key != delivery.dedupe_key for known in self.delivered):
            self.delivered.append(delivery)

    def texts(self, external_user: str) -> list[str]:
        """What this person has been shown."""
        return [d.text for d in self.delivered if d.external_user == external_user]
