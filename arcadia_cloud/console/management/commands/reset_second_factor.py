from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from arcadia_cloud.console.account_log import log_account_change
from arcadia_cloud.console.second_factor.enrolment import reset_second_factor
from arcadia_cloud.kernel.errors import DomainError


class Command(BaseCommand):
    help = "Remove a person's second factor, where no admin is left to do it in the console."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *_arguments: object, username: str, **_options: object) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        try:
            reset_second_factor(user_pk=user.pk, actor_pk=None)
        except DomainError as refusal:
            raise CommandError(refusal.detail) from refusal
        # The log needs a user: on the person's own name, in words that cannot be mistaken for theirs.
        log_account_change(user, "Second factor reset by manage.py reset_second_factor.", actor=user)
        self.stdout.write(f"{username}: reset; the next sign-in sets up another second factor")
