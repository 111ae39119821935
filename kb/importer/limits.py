"""How much of a file the importer is willing to look at."""

from dataclasses import dataclass

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
    image_bytes: int = 30 * MIB
    image_pixels: int = 60_000_000
    table_rows: int = 50_000
    characters: int = 20_000_000
    seconds: float = 120.0  # wall clock, isolated import only
    memory_bytes: int = 1536 * MIB  # address space of the isolated parser
