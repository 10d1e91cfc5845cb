"""The endpoints, a module for each kind of resource, and its `ResourceKind` for projects and tags.

A new kind is a module here and a line in `KINDS`.
"""

from simulator.account import ResourceKind
from simulator.endpoints.account import ACCOUNT
from simulator.endpoints.actions import ACTION
from simulator.endpoints.apps import APP
from simulator.endpoints.billing import BILLING, BILLING_INSIGHTS
from simulator.endpoints.cdn import CDN_ENDPOINT
from simulator.endpoints.certificates import CERTIFICATE
from simulator.endpoints.databases import DATABASE
from simulator.endpoints.domains import DOMAIN
from simulator.endpoints.droplet_actions import DROPLET_ACTION
from simulator.endpoints.droplets import DROPLET
from simulator.endpoints.firewalls import FIREWALL
from simulator.endpoints.images import IMAGE
from simulator.endpoints.kubernetes import KUBERNETES_CLUSTER
from simulator.endpoints.load_balancers import LOAD_BALANCER
from simulator.endpoints.metrics import METRICS
from simulator.endpoints.projects import PROJECT
from simulator.endpoints.registries import REGISTRY
from simulator.endpoints.reserved_ips import FLOATING_IP, RESERVED_IP
from simulator.endpoints.sizes import SIZE
from simulator.endpoints.snapshots import SNAPSHOT
from simulator.endpoints.tags import TAG
from simulator.endpoints.volumes import VOLUME
from simulator.endpoints.vpcs import VPC

KINDS: tuple[ResourceKind, ...] = (
    ACCOUNT,
    ACTION,
    APP,
    BILLING,
    BILLING_INSIGHTS,
    CDN_ENDPOINT,
    CERTIFICATE,
    DATABASE,
    DOMAIN,
    DROPLET,
    DROPLET_ACTION,
    FIREWALL,
    FLOATING_IP,
    IMAGE,
    KUBERNETES_CLUSTER,
    LOAD_BALANCER,
    METRICS,
    PROJECT,
    REGISTRY,
    RESERVED_IP,
    SIZE,
    SNAPSHOT,
    TAG,
    VOLUME,
    VPC,
)
