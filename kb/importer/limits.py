"""How much of a file the importer is willing to look at."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the process that reads files does without pydantic
    from kb.settings import ImportSettings

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ImportLimits:
    """Every limit is inclusive; a file beyond one is refused, a picture beyond one is left out."""

    file_bytes: int = 100 * MIB
    unpacked_bytes: int = 500 * MIB  # all members of a zip container together
    member_bytes: int = 200 * MIB
    members: int = 10_000
    unpack_ratio: float = 200.0  # unpacked to packed size, judged once a member exceeds 1 MiB
    pages: int = 2_000
    images: int = 5_000
    scanned_pages: int = 100  # read from their pictures, isolated import only
    image_bytes: int = 30 * MIB
    image_pixels: int = 60_000_000
    table_rows: int = 50_000
    characters: int = 20_000_000
    seconds: float = 120.0  # wall clock, isolated import only
    memory_bytes: int = 1536 * MIB  # address space of the isolated parser
    convert_seconds: float = 90.0  # wall clock of a converter for old formats
    convert_memory_bytes: int = 3072 * MIB  # its address space; LibreOffice takes 1 GiB for nothing


def limits_of(chosen: "ImportSettings") -> ImportLimits:
    """The limits that a deployment has chosen."""
    return ImportLimits(
        file_bytes=chosen.file_mb * MIB,
        unpacked_bytes=chosen.unpacked_mb * MIB,
        pages=chosen.pages,
        images=chosen.pictures,
        scanned_pages=chosen.scanned_pages,
        image_bytes=chosen.picture_mb * MIB,
        table_rows=chosen.rows,
        seconds=chosen.seconds,
        memory_bytes=chosen.memory_mb * MIB,
        convert_seconds=chosen.convert_seconds,
        convert_memory_bytes=chosen.convert_memory_mb * MIB,
    )
