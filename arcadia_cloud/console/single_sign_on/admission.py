"""Admission of a person whom the identity provider vouches for: their user, and exactly their groups."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.db import transaction

from arcadia_cloud.console.account_log import log_account_change
from arcadia_cloud.console.sign_in_settings import SingleSignOn
from arcadia_cloud.console.single_sign_on.errors import SignInRefused

_LONGEST_NAME: Final = 150  # characters, of auth_user.username
_LONGEST_EMAIL: Final = 254  # and of auth_user.email


def admit_person(claims: Mapping[str, Any], provider: SingleSignOn) -> User:
    """Return the user of an ID token's claims, made at the first sign-in, with the groups of the claims.

    Groups are replaced, also by none, before a refusal is raised. Raises SignInRefused for a person without a
    group of the console, a user who is switched off, and a name that has a login of its own here: the
    provider opens no account with a password, and no superuser's.
    """
    name = _name_of(claims, provider.username_claim)
    groups = _groups_of(claims.get(provider.groups_claim), provider.groups)
    email = claims.get("email")
    # What the column can't hold must not keep a person out.
    if not isinstance(email, str) or not email.isprintable() or len(email) > _LONGEST_EMAIL:
        email = ""
    with transaction.atomic():
        if groups:
            User.objects.get_or_create(
                username=name,
                defaults={
                    "email": email,
                    "password": make_password(None),
                    "is_staff": True,
                },
            )
        # Locked: of two sign-ins at once, the groups of one stand whole.
        user = User.objects.select_for_update(of=("self",)).filter(username=name).first()
        if user is not None:
            _refuse_local_account(user)
            _replace_groups(user, groups)
    if user is None or not groups:
        raise SignInRefused("You are in none of the company's groups that may use the console.")
    if not (user.is_active and user.is_staff):
        raise SignInRefused("Your login is switched off here. Ask a colleague in the group “admin”.")
    return user


def _name_of(claims: Mapping[str, Any], claim: str) -> str:
    """Return the user's name from the claim that is set. Raises SignInRefused."""
    name = claims.get(claim)
    if not isinstance(name, str) or not name.isprintable() or not 0 < len(name.strip()) <= _LONGEST_NAME:
        raise SignInRefused(f"The identity provider sends no “{claim}” that could be a user's name.")
    if claim != "email":
        return name.strip()
    # A person could have written another's address into their profile.
    if claims.get("email_verified", True) not in (True, "true"):
        raise SignInRefused("The identity provider hasn't verified your e-mail address.")
    return name.strip().lower()


def _groups_of(given: object, mapping: Mapping[str, Iterable[str]]) -> list[Group]:
    """Return the console's groups that the provider's map to; what is in no mapping gives nothing."""
    theirs = given if isinstance(given, list) else [given]  # some providers send a single one bare
    names = {ours for each in theirs if isinstance(each, str) for ours in mapping.get(each, ())}
    return list(Group.objects.filter(name__in=names).order_by("name"))


def _refuse_local_account(user: User) -> None:
    """Raise SignInRefused for an account that was here before the provider, or opens more than groups do."""
    if user.is_superuser or user.has_usable_password():
        raise SignInRefused("This name has a login with a password here: sign in with it.")


def _replace_groups(user: User, groups: list[Group]) -> None:
    """Give the user exactly these groups, and log what has changed."""
    before = sorted(user.groups.values_list("name", flat=True))
    after = [group.name for group in groups]
    if before != after:
        user.groups.set(groups)
        words = [", ".join(names) or "none" for names in (before, after)]
        log_account_change(user, f"Groups by single sign-on: {words[0]} → {words[1]}.", actor=user)
