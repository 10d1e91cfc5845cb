"""Checks that migrations can run under load: `python -m tests.lint_migrations`, with DATABASE_URL set.

Rules: django-migration-linter's.
"""

import os
import sys

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arcadia_cloud.settings")
django.setup()

from django_migration_linter import MigrationLinter  # noqa: E402 - reads the apps when it is imported


def main() -> int:
    """0 when no migration of ours breaks a rule."""
    ours = [app.label for app in apps.get_app_configs() if "site-packages" not in app.path]
    # Named: our database engine is PostgreSQL by another name.
    linter = MigrationLinter(
        path=".", include_apps=ours, no_cache=True, quiet=["ignore", "ok"], analyser_string="postgresql"
    )
    linter.lint_all_migrations()
    linter.print_summary()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
