"""A real Chromium without root, and axe-core to judge a page's accessibility."""

import io
import os
import platform
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

import brotli

from deploy.local import folders, npm

_PACKAGE = "@sparticuz/chromium"
_ARGUMENTS = ("--headless=shell", "--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass(frozen=True)
class Chromium:
    """What Playwright's `chromium.launch(executable_path=, args=, env=)` takes."""

    executable: Path
    arguments: tuple[str, ...] = _ARGUMENTS
    environment: dict[str, str] = field(default_factory=dict)

    def launch_options(self) -> dict[str, object]:
        return {
            "executable_path": str(self.executable),
            "args": list(self.arguments),
            "env": {**os.environ, **self.environment},
        }


def chromium() -> Chromium:
    """AIGUILLEUR_CHROMIUM in the environment wins, then the pinned package, then an installed chromium."""
    given = os.environ.get("AIGUILLEUR_CHROMIUM")
    if given:
        return Chromium(Path(given))
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        return _packaged()
    installed = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if installed is None:
        raise RuntimeError("no Chromium for this machine: apt-get install chromium, or set AIGUILLEUR_CHROMIUM")
    return Chromium(Path(installed))


def axe_source() -> str:
    """axe-core's script, to be added to a page; its rules carry the tags RGAAv4, wcag2a, wcag22aa and others."""
    return (npm.package("axe-core") / "axe.min.js").read_text(encoding="utf-8")


def _packaged() -> Chromium:
    package = npm.package(_PACKAGE)
    with folders.exclusively(package.parent / "unpacked") as home:
        executable = home / "chromium"
        if not executable.exists():
            for name in ("fonts", "al2023", "swiftshader"):
                with tarfile.open(fileobj=io.BytesIO(_decompressed(package / "bin" / f"{name}.tar.br"))) as tar:
                    npm.extract(tar, home / name)
            unfinished = home / "chromium.unfinished"
            unfinished.write_bytes(_decompressed(package / "bin" / "chromium.br"))
            unfinished.chmod(0o755)
            unfinished.rename(executable)
    environment = {}
    if not _has_fonts():
        environment["FONTCONFIG_FILE"] = str(_own_fonts(home))
    if _lacks_libraries(executable):
        libraries = [str(home / "al2023" / "lib"), os.environ.get("LD_LIBRARY_PATH", "")]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, libraries))
    return Chromium(executable, environment=environment)


def _own_fonts(home: Path) -> Path:
    """The package's own settings look for its fonts in another place."""
    settings = home / "fonts.conf"
    folder = escape(str(home / "fonts"))
    settings.write_text(
        "<?xml version='1.0'?><!DOCTYPE fontconfig SYSTEM 'fonts.dtd'>"
        f"<fontconfig><dir>{folder}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    return settings


def _decompressed(file: Path) -> bytes:
    return bytes(brotli.decompress(file.read_bytes()))


def _lacks_libraries(executable: Path) -> bool:
    answer = subprocess.run(["ldd", executable], capture_output=True, text=True, check=False)
    return "not found" in answer.stdout


def _has_fonts() -> bool:
    return Path("/etc/fonts/fonts.conf").exists() and any(Path("/usr/share/fonts").rglob("*.[to]tf"))
