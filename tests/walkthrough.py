"""Sections of docs/api.md, run as they stand: each command by a shell, each answer compared."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.gate import PROJECT

ELISION: Final = "…"
_BLOCK: Final = re.compile(r"```(sh|json)\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Scene:
    """Commands, and the answer that the page shows after them; None where it shows none."""

    commands: str
    shown: Any

    def answers(self, **variables: str) -> list[Any]:
        """Run the commands and return every JSON document that they print. A refusal fails."""
        script = self.commands.replace("curl -s ", "curl -sS --fail-with-body ")
        ran = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*", **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, (script, ran.stdout, ran.stderr)
        return list(_documents(ran.stdout))


def scenes(heading: str) -> list[Scene]:
    """Return the scenes of one section of docs/api.md."""
    found: list[Scene] = []
    for language, text in _BLOCK.findall(_section(heading)):
        if language == "sh":
            found.append(Scene(text, None))
        else:
            found[-1] = Scene(found[-1].commands, json.loads(text))
    return found


def program(heading: str, language: str) -> str:
    """Return the one program of a section in that language. Raises ValueError for none or several."""
    [text] = re.findall(rf"```{language}\n(.*?)```", _section(heading), re.DOTALL)
    return str(text)


def _section(heading: str) -> str:
    page = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
    return page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def differences(shown: Any, real: Any, where: str = "") -> list[str]:
    """Return where an answer isn't as the page shows it; what the page elides by "…" may be anything."""
    if shown == ELISION:
        return []
    if isinstance(shown, Mapping) and isinstance(real, Mapping):
        found = [] if ELISION in shown or set(shown) == set(real) else [f"{where}: other keys"]
        for key, value in shown.items():
            if key != ELISION:
                found += differences(value, real.get(key), f"{where}.{key}")
        return found
    if isinstance(shown, list) and isinstance(real, list):
        parts = [part for part in shown if part != ELISION]
        if len(parts) < len(shown):
            return [f"{where}: no {part}" for part in parts if all(differences(part, one) for one in real)]
        if len(shown) != len(real):
            return [f"{where}: {len(real)} instead of {len(shown)}"]
        found = []
        for number, (part, one) in enumerate(zip(shown, real, strict=True)):
            found += differences(part, one, f"{where}.{number}")
        return found
    return [] if shown == real else [f"{where}: {real!r} instead of {shown!r}"]


def _documents(text: str) -> Iterator[Any]:
    decoder, place = json.JSONDecoder(), 0
    while place < len(text.rstrip()):
        document, place = decoder.raw_decode(text, place)
        yield document
        place += len(text[place:]) - len(text[place:].lstrip())
