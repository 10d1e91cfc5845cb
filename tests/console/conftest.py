"""Logins of each group."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from arcadia_cloud.main_job.seeds.groups import seed_groups

PASSWORD = "long-enough-for-a-test"

Login = Callable[[str], Client]


@pytest.fixture
def login(db: None) -> Login:
    """A client of a member of one group; "" for a login that belongs to none, "superuser" for one."""
    seed_groups()

    def of(group: str) -> Client:
        user = User.objects.create_user(f"{group or 'nobody'}-1", password=PASSWORD, is_staff=True)
        if group == "superuser":
            user.is_superuser = True
            user.save()
        elif group:
            user.groups.add(Group.objects.get(name=group))
        client = Client()
        client.force_login(user)
        return client

    return of


@pytest.fixture
def viewer(login: Login) -> Client:
    return login("viewer")


@pytest.fixture
def operator(login: Login) -> Client:
    return login("operator")
