"""The health of a deployment after a change: its droplets run, and its address answers."""

from typing import Final

import requests
from django.conf import settings

from arcadia_cloud.digitalocean.client import DigitalOcean
from provisioning.contract import PARTS, Step, StepState, Wait
from provisioning.steps.cloud import RETRIES, poll, with_cloud

DEADLINE_SECONDS: Final = 600.0
_FIRST_ERROR: Final = 400
_TIMEOUT_SECONDS: Final = 10.0


@with_cloud
def check_health(state: StepState, cloud: DigitalOcean) -> Wait | None:
    """Wait until what ran before runs, and the health check's address answers without an error.

    Without an address the droplets alone decide. Fails at the step's deadline.
    """
    # Only what ran before: a droplet that was off is none of the update's making.
    for part, inputs in state.get_output(PARTS, {}).items():
        if state.get_output(f"was_on@{part}") and cloud.droplet(inputs["droplet_id"]).status != "active":
            return poll(f"droplet {inputs['droplet_id']} doesn't run yet")
    url = state.inputs["health_check_url"]
    if not url:
        return None
    seconds = min(_TIMEOUT_SECONDS, settings.DO_TIMEOUT_SECONDS)
    try:
        # No redirect is followed: what answers is the address that was named.
        with requests.get(url, timeout=seconds, allow_redirects=False, stream=True) as response:
            status = response.status_code
    except requests.RequestException as error:
        return poll(f"{url} doesn't answer: {type(error).__name__}")
    return poll(f"{url} answers {status}") if status >= _FIRST_ERROR else None


STEPS: Final = (Step("check_health", check_health, retries=RETRIES, deadline_seconds=DEADLINE_SECONDS),)
