"""boto3's clients of Spaces: how often they ask, how long they wait, how they sign."""

import os
from functools import cache
from threading import Lock
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from django.conf import settings

from arcadia_cloud.digitalocean.credentials import SpacesKeys
from arcadia_cloud.digitalocean.spaces_xml import make_readable

ATTEMPTS: Final = 5  # of each call; botocore waits in between, up to 20 s
CONNECT_SECONDS: Final = 10
_SIGNING_REGION: Final = "us-east-1"  # Spaces takes any; some stand-ins take no other

# The machine's own AWS files are for another cloud, and a profile that isn't there would be an error.
_NO_PROFILE: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
_MAKING: Final = (
    Lock()
)  # a session makes one client at a time (boto3's guide, "Multithreading with sessions")


def make_client(endpoint: str, keys: SpacesKeys) -> Any:
    """Make a client of one endpoint. boto3's are made at run time: they have no type."""
    with _MAKING:
        client = _session().client(
            "s3",
            region_name=_SIGNING_REGION,
            endpoint_url=endpoint,
            aws_access_key_id=keys.key,
            aws_secret_access_key=keys.secret,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=settings.DO_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
                signature_version="s3v4",
                # A dot in a bucket's name would fall out of the certificate of the host that it makes.
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    client.meta.events.register("before-parse.s3.*", make_readable)
    return client


@cache
def _session() -> boto3.session.Session:
    """Read boto3's description of S3 once in a process: it takes longer than to list a few buckets."""
    core = botocore.session.Session(session_vars=_NO_PROFILE)
    # Each object comes with a time that isn't used; to parse it would cost more than all the rest.
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=str)
    return boto3.session.Session(botocore_session=core)
