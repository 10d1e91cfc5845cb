"""Strict readers of the environment.

Every problem is collected and reported at once, by variable: an operator who has six variables to set
learns of all six at the first start. A secret may come from a file: `NAME_FILE` names it.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

_FLAGS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}


class Environment:
    """The process's variables, read by name; `finish()` refuses when any of them was wrong or missing."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []

    def is_set(self, name: str) -> bool:
        """Return whether `name` or `name_FILE` has a value; an empty one counts as none."""
        return bool(self._values.get(name) or self._values.get(f"{name}_FILE"))

    def text(self, name: str, default: str | None = None) -> str:
        """Return the variable's text. Without one: `default`, or a problem where there is no default."""
        if value := self._values.get(name):
            return value
        if path := self._values.get(f"{name}_FILE"):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                # The user, too: a secret that is root's own, mode 0600, is the usual reason.
                reader = f" (by user {os.geteuid()})" if isinstance(error, PermissionError) else ""
                self.problems.append(
                    f"{name}_FILE names {path}, which can't be read{reader}: {error.strerror}"
                )
                return ""
            except UnicodeDecodeError:
                self.problems.append(f"{name}_FILE names {path}, which is not UTF-8 text")
                return ""
            # Not the default: a secret that was mounted empty must not become a known one.
            if not value:
                self.problems.append(f"{name}_FILE names {path}, which is empty")
            return value
        if default is None:
            self.problems.append(f"{name} is not set")
            return ""
        return default

    def choice(self, name: str, options: tuple[str, ...]) -> str:
        """Read one of `options`; the first is the default."""
        value = self.text(name, options[0])
        if value not in options:
            self.problems.append(f"{name} is {value!r}; it must be one of {', '.join(options)}")
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Read a switch: true/1/yes/on or false/0/no/off, in any case."""
        value = self.text(name, "true" if default else "false")
        if value.lower() not in _FLAGS:
            self.problems.append(f"{name} is {value!r}; it must be true or false")
            return default
        return _FLAGS[value.lower()]

    def number(self, name: str, default: int, *, at_least: int = 0) -> int:
        """Read a whole number no smaller than `at_least`."""
        value = self.text(name, str(default))
        try:
            number = int(value)
        except ValueError:
            self.problems.append(f"{name} is {value!r}; it must be a whole number")
            return default
        if number < at_least:
            self.problems.append(f"{name} is {number}; it must be at least {at_least}")
        return number

    def items(self, name: str, default: str = "") -> list[str]:
        """Read a comma-separated list; blanks around items are dropped."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def url(self, name: str, default: str | None = None, *, schemes: tuple[str, ...]) -> str:
        """Read an address with a host and one of `schemes`; a wrong one may hold a password: never quoted."""
        value = self.text(name, default)
        try:
            parts = urlsplit(value)
            is_address = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number is found only where it is asked for
            is_address = False
        if value and not is_address:
            self.problems.append(f"{name} must be {' or '.join(schemes)}://host[:port][/path]")
        return value

    def database(self, name: str) -> dict[str, Any]:
        """Return Django's settings of one PostgreSQL database, from its URL."""
        url = self.text(name)
        if not url:
            return {}
        if not url.startswith(("postgres://", "postgresql://")):
            self.problems.append(f"{name} must be a postgresql:// URL")
            return {}
        try:
            return dict(Env.db_url_config(url))
        except ValueError:
            self.problems.append(f"{name} can't be read; is its port a number, its password percent-encoded?")
            return {}

    def mail_server(self, name: str) -> dict[str, Any]:
        """Return Django's settings of the mail server, EMAIL_…, from smtp[+tls|+ssl]://user:password@host:port."""
        url = self.text(name, "")
        if not url:
            return {}
        if not url.startswith(("smtp://", "smtp+tls://", "smtp+ssl://")):
            self.problems.append(f"{name} must be a smtp://, smtp+tls:// or smtp+ssl:// URL")
            return {}
        try:
            return {
                key: value for key, value in Env.email_url_config(url).items() if key.startswith("EMAIL_")
            }
        except ValueError:
            self.problems.append(f"{name} can't be read; is its port a number, its password percent-encoded?")
            return {}

    def finish(self) -> None:
        """Refuse to start, naming every variable that is missing or wrong.

        Raises ImproperlyConfigured.
        """
        if self.problems:
            raise ImproperlyConfigured(
                "The environment is not fit to start:\n  - " + "\n  - ".join(self.problems)
            )


def with_certificate_check(url: str) -> str:
    """Return a Redis address that checks the server's certificate, unless it has a rule of its own.

    Without the parameter, the queue's library takes any certificate, and only logs a warning.
    """
    if not url.startswith("rediss://") or "ssl_cert_reqs=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}ssl_cert_reqs=required"
