"""A process of our own that reads strangers' bytes: started when needed, replaced when it died.

What it does to itself before it reads is `kb.confinement`; what is asked of it and how long that
may take is its owner's. Not safe to share between threads but for `kill`.
"""

import os
import subprocess
import sys
from pathlib import Path

import kb


class WorkerProcess:
    """One of our modules in a process of its own, with pipes to it and nothing else of ours."""

    def __init__(self, module: str, *arguments: object, **environment: str) -> None:
        self._module = module
        self._arguments = tuple(map(str, arguments))
        self._environment = environment
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def running(self) -> subprocess.Popen[bytes]:
        """The process, started now where there is none."""
        if self.process is None or self.process.poll() is not None:
            self.stop()
            self.process = self._start()
        return self.process

    def kill(self) -> None:
        """End it without waiting; for another thread than the one that talks to it."""
        process = self.process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End it and close its pipes."""
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue  # an unsent request; the process is gone anyway

    def _start(self) -> subprocess.Popen[bytes]:
        root = Path(kb.__file__).parents[1]
        ours = {"PYTHONPATH": str(root), "LANG": "C.UTF-8", "PATH": os.defpath}
        return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
            [sys.executable, "-B", "-m", self._module, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ours | self._environment,
            cwd=root,
            start_new_session=True,
        )
