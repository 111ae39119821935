"""One isolated workspace on disk: database, models, indexes, media, logs."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where everything of one deployment lies."""

    home: Path

    @property
    def media(self) -> Path:
        """Pictures by content hash."""
        return self.home / "media"

    @property
    def attachments(self) -> Path:
        """Pictures and files of conversations by content hash."""
        return self.home / "attachments"

    @property
    def rasa_model(self) -> Path:
        """The trained Rasa archive."""
        return self.home / "models" / "nlu" / "nlu.tar.gz"

    @property
    def interpreter(self) -> Path:
        """The in-process interpreter's folder."""
        return self.home / "models" / "interpreter"

    @property
    def logs(self) -> Path:
        """Log files of the processes started by ``caiwen up``."""
        return self.home / "logs"

    @property
    def secret(self) -> Path:
        """The token that web and Rasa share."""
        return self.home / "rasa.token"

    def create(self) -> None:
        """Make the folders; readable by their owner only, for they hold finance data."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o700)
        for folder in (self.media, self.attachments, self.rasa_model.parent, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
