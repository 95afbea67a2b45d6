"""A fleet that runs nothing that is not signed: who defines and runs has one key, the schedulers
have one that may fire alone, and agents trust the public halves of both."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from jober import Jober
from jober.signing import DEFINE, FIRE, Key, new_key
from jober.signing.key_file import write_key
from tests.fleet import Fleet


class SignedFleet(Fleet):
    def __init__(self, url: str, folder: Path, kind: str = "ed25519") -> None:
        super().__init__(url, folder)
        self.trusted = folder / "trusted"
        self.trusted.mkdir()
        self.ops = self.key("ops", kind, DEFINE, FIRE)
        self.fires = self.key("scheduler", kind, FIRE)
        self.jober.close()
        self.jober = Jober(url, sign_key=self.ops, trust=self.trusted)

    def key(self, name: str, kind: str, *purposes: str) -> Path:
        """A key that agents trust; the file that signs."""
        key = new_key(kind, purposes)
        path = self.folder / f"{name}.key"
        write_key(path, key)
        self.trust(name, key)
        return path

    def trust(self, name: str, key: Key) -> None:
        if key.kind == "hmac":
            write_key(self.trusted / f"{name}.key", key)
        else:
            write_key(self.trusted / f"{name}.pub", key.public())

    def start(
        self, program: str, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        own = {"JOBER_TRUST": str(self.trusted)}
        if program == "jober-worker":
            arguments = (*arguments, "--unsigned-queues", "adder")
        else:
            own["JOBER_SIGN_KEY"] = str(self.fires)
        return super().start(program, *arguments, environ={**own, **(environ or {})})
