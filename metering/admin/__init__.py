"""The console's metering pages: usage, its terms, bandwidth; and the usage card of a deployment."""

from metering.admin import bandwidth, deployment_panel, terms, usage

__all__ = ["bandwidth", "deployment_panel", "terms", "usage"]
