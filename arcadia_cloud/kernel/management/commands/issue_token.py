"""manage.py issue_token: a token in Guardian's shape, for development."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError

from arcadia_cloud.kernel.tokens import TenantToken, mint

_LONGEST_MINUTES = 366 * 24 * 60


class Command(BaseCommand):
    help = "Print one access token, and nothing else. In production tokens are minted elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="T", help="the tenant_id; without it, a token of no tenant")
        parser.add_argument("--role", metavar="R", action="append", default=[], help="may be repeated")
        parser.add_argument("--minutes", metavar="N", type=int, default=60, help="how long it is valid (60)")
        parser.add_argument("--subject", metavar="S", default="developer", help="the sub (developer)")

    def handle(self, *_args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("issue_token is for development: production's tokens are minted elsewhere.")
        if not 1 <= options["minutes"] <= _LONGEST_MINUTES:
            raise CommandError(f"--minutes is {options['minutes']}; it must be 1 to {_LONGEST_MINUTES}.")
        token = mint(
            subject=options["subject"],
            tenant_id=options["tenant"],
            roles=options["role"],
            lifetime=timedelta(minutes=options["minutes"]),
            at=timezone.now(),
        )
        try:
            TenantToken(token)
        except TokenError as error:
            raise CommandError(f"Such a token would be refused: {error}.") from error
        self.stdout.write(token)
