"""Pictures of guides as files named after their content: `media/ab/<sha256>.<ext>`.

A file is complete under its name or absent; it is never changed and never deleted here.
"""

import hashlib
import os
import tempfile
from pathlib import Path

EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tif",
    "image/svg+xml": "svg",
    "image/x-emf": "emf",
    "image/emf": "emf",
    "image/x-wmf": "wmf",
    "image/wmf": "wmf",
}


def extension(media_type: str) -> str:
    """The file name extension for a media type; `bin` for one that no browser should open."""
    return EXTENSIONS.get(media_type.split(";", maxsplit=1)[0].strip().lower(), "bin")


def media_path(media_dir: Path, sha256: str, suffix: str) -> Path:
    """Where a picture's bytes are kept."""
    return media_dir / sha256[:2] / f"{sha256}.{suffix}"


def write_media(media_dir: Path, sha256: str, suffix: str, content: bytes) -> Path:
    """Write the bytes durably under their hash; raises ValueError when the hash is not theirs."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"the bytes do not match their hash {sha256!r}")
    path = media_path(media_dir, sha256, suffix)
    if path.exists() and path.stat().st_size == len(content):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
