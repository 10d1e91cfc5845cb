import os

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError

USERNAME = "operator"


class Command(BaseCommand):
    help = "Make the console's login for development, once, with the password in ARCADIA_OPERATOR_PASSWORD."

    def handle(self, *_arguments: object, **_options: object) -> None:
        if settings.PRODUCTION:
            raise CommandError("no default login is made in production: use manage.py createsuperuser")
        password = os.environ.get("ARCADIA_OPERATOR_PASSWORD")
        if not password:
            raise CommandError("ARCADIA_OPERATOR_PASSWORD is not set")
        user, made = get_user_model().objects.get_or_create(
            username=USERNAME,
            defaults={"is_staff": True, "is_superuser": True, "password": make_password(password)},
        )
        if made:
            self.stdout.write(f"login: {USERNAME} made")
        elif user.check_password(password):
            self.stdout.write(f"login: {USERNAME} as before")
        else:
            self.stdout.write(
                f"login: {USERNAME} keeps the password it was given in the console, not the one shown below "
                f"(manage.py changepassword {USERNAME})"
            )
