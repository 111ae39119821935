"""Old office files made readable by programs that this machine may have: LibreOffice, antiword.

They are looked for whenever they are needed, so that installing one needs no restart. Each file is
converted in a folder, a profile, a network and a session of its own, within bounded memory, time
and disk; nothing of the machine's own LibreOffice is touched and nobody else's is disturbed.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from kb.errors import ImportRefused, RefusalReason
from kb.importer import confined
from kb.importer.limits import ImportLimits
from kb.importer.metafile import is_enhanced

#: What each kind becomes; the kinds are those of the LEGACY_FORMAT refusals in `sniff`.
TARGETS = {
    "doc": "docx",
    "rtf": "docx",
    "odt": "docx",
    "word xml": "docx",
    "ppt": "pptx",
    "odp": "pptx",
    "xls": "xlsx",
    "excel xml": "xlsx",
}
#: A name's ending helps LibreOffice where contents alone are not clear.
_ENDINGS = {"word xml": "xml", "excel xml": "xml"}
_OFFICE_PROGRAMS = ("soffice", "libreoffice", "localc")
_ANTIWORD = "antiword"
_ANTIWORD_PICTURE = b"[pic]"  # all that it says of one
#: No macros, no links followed, and whatever should still try finds no network.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop
 oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop
 oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop
 oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop
 oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop
 oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop></item>
</oor:items>
"""


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the converters are, None for what this machine lacks."""

    office: Path | None = None
    antiword: Path | None = None

    def can(self, kind: str) -> bool:
        """Whether files of this kind can be converted here."""
        return kind in TARGETS and (
            self.office is not None or (kind == "doc" and self.antiword is not None)
        )


@dataclass(frozen=True, slots=True)
class Converted:
    """The file that came out, and whether it is only the text of the one that went in."""

    path: Path
    ending: str
    program: str
    text_only: bool


def find_programs(search: str | None = None) -> Programs:
    """The converters on `search`, a path as in PATH; None is the process's own."""
    office = next(filter(None, (shutil.which(name, path=search) for name in _OFFICE_PROGRAMS)), "")
    antiword = shutil.which(_ANTIWORD, path=search)
    return Programs(Path(office) if office else None, Path(antiword) if antiword else None)


class Converter:
    """Converts one file at a time; `interrupt` may come from another thread."""

    def __init__(
        self, limits: ImportLimits, search: str | None, interrupted: threading.Event
    ) -> None:
        """`interrupted` is set before `interrupt` is called, and cleared for the next file."""
        self._limits = limits
        self._search = search
        self._interrupted = interrupted
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.Lock()

    @contextmanager
    def converted(self, source: Path, kind: str) -> Iterator[Converted]:
        """The converted file, kept until the context ends.

        Raises:
            ImportRefused: no_converter, conversion_failed, timeout, too_large or no_text.
        """
        programs = find_programs(self._search)
        if not programs.can(kind):
            raise ImportRefused(RefusalReason.NO_CONVERTER, kind)
        with TemporaryDirectory(prefix="caiwen-convert-") as folder:
            copy = Path(folder) / f"source.{_ENDINGS.get(kind, kind)}"
            shutil.copyfile(source, copy)
            if programs.office is not None:
                yield self._document(programs.office, copy, TARGETS[kind])
            elif programs.antiword is not None:
                yield self._by_antiword(programs.antiword, copy)

    def can_draw(self) -> bool:
        """Whether drawn metafiles can become pictures here."""
        return find_programs(self._search).office is not None

    @contextmanager
    def drawn(self, metafiles: Mapping[str, bytes]) -> Iterator[Path | None]:
        """A folder with `SHA256.png` for each that could be drawn; None where none could.

        Never refuses: a guide is worth having without its drawings.
        """
        program = find_programs(self._search).office if metafiles else None
        if program is None:
            yield None
            return
        with TemporaryDirectory(prefix="caiwen-draw-") as folder:
            sources = [_written(Path(folder), data) for data in metafiles.values()]
            try:
                made = self._by_office(program, sources, "png")
            except ImportRefused:
                made = []
            yield made[0].parent if made else None

    def interrupt(self) -> None:
        """Let a conversion in another thread fail now; does not wait for it."""
        with self._guard:
            if self._process is not None and self._process.poll() is None:
                _kill(self._process)

    def _document(self, program: Path, source: Path, ending: str) -> Converted:
        made = self._by_office(program, [source], ending)
        if not made:
            raise ImportRefused(RefusalReason.CONVERSION_FAILED, program.name)
        if made[0].stat().st_size > self._limits.file_bytes:
            size = made[0].stat().st_size
            raise ImportRefused(RefusalReason.TOO_LARGE, f"{size} bytes converted")
        return Converted(made[0], ending, "LibreOffice", text_only=False)

    def _by_office(self, program: Path, sources: Sequence[Path], ending: str) -> list[Path]:
        """What LibreOffice made of the files; it ends with 0 whether it could load them or not."""
        folder = sources[0].parent
        profile, out = folder / "profile", folder / "out"
        (profile / "user").mkdir(parents=True)
        out.mkdir()
        (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
        self._run(
            [
                str(program),
                f"-env:UserInstallation={profile.as_uri()}",
                *("--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck"),
                *("--convert-to", ending, "--outdir", str(out), *map(str, sources)),
            ],
            folder,
        )
        made = (out / f"{source.stem}.{ending}" for source in sources)
        return [path for path in made if path.is_file() and path.stat().st_size > 0]

    def _by_antiword(self, program: Path, source: Path) -> Converted:
        """Its text, one paragraph a line; antiword knows neither headings nor pictures in it."""
        made = source.parent / "source.txt"
        code = self._run(
            [str(program), "-m", "UTF-8.txt", "-w", "0", str(source)], source.parent, made
        )
        if code != 0:
            raise ImportRefused(RefusalReason.CONVERSION_FAILED, _ANTIWORD)
        text = made.read_bytes().replace(_ANTIWORD_PICTURE, b"")
        if not text.strip():
            raise ImportRefused(RefusalReason.NO_TEXT, _ANTIWORD)
        made.write_bytes(text)
        return Converted(made, "txt", _ANTIWORD, text_only=True)

    def _run(self, command: Sequence[str], folder: Path, output: Path | None = None) -> int:
        """The exit code of the program, which is gone with all it started when this returns."""
        limits = self._limits
        bounds = (limits.convert_memory_bytes, int(limits.convert_seconds) + 1, limits.member_bytes)
        with (output or Path(os.devnull)).open("wb") as stdout:
            process = subprocess.Popen(  # noqa: S603 - a program that was found, told what to read
                [sys.executable, "-I", "-S", confined.__file__, *map(str, bounds), *command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=subprocess.DEVNULL,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        with self._guard:
            self._process = process
            if self._interrupted.is_set():
                # It came while the program was being started, and found nothing to end.
                _kill(process)
        try:
            return process.wait(limits.convert_seconds)
        except subprocess.TimeoutExpired as error:
            raise ImportRefused(
                RefusalReason.TIMEOUT, f"{limits.convert_seconds:g} s converting"
            ) from error
        finally:
            with self._guard:
                _kill(process)
                process.wait()
                self._process = None


def _written(folder: Path, metafile: bytes) -> Path:
    """The metafile under its hash; the ending tells its kind."""
    ending = "emf" if is_enhanced(metafile) else "wmf"
    path = folder / f"{hashlib.sha256(metafile).hexdigest()}.{ending}"
    path.write_bytes(metafile)
    return path


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The program and all it started; its session is its own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours: no secrets, a home of its own, no way to a network."""
    private = str(folder)
    nowhere = "http://127.0.0.1:9"
    return {
        "PATH": os.defpath,
        "HOME": private,
        "TMPDIR": private,
        "XDG_RUNTIME_DIR": private,
        "LANG": "C.UTF-8",
        "http_proxy": nowhere,
        "https_proxy": nowhere,
        "ftp_proxy": nowhere,
    }
