"""The kinds of resource, a module each: its endpoints, and a `Kind` that tells projects and tags of it.

A new kind is a module here and a line in `KINDS`.
"""

from simulator.account import Kind
from simulator.kinds.account import ACCOUNT
from simulator.kinds.actions import ACTION
from simulator.kinds.apps import APP
from simulator.kinds.billing import BILLING
from simulator.kinds.cdn import CDN_ENDPOINT
from simulator.kinds.certificates import CERTIFICATE
from simulator.kinds.databases import DATABASE
from simulator.kinds.domains import DOMAIN
from simulator.kinds.droplet_actions import DROPLET_ACTION
from simulator.kinds.droplets import DROPLET
from simulator.kinds.firewalls import FIREWALL
from simulator.kinds.images import IMAGE
from simulator.kinds.kubernetes import KUBERNETES_CLUSTER
from simulator.kinds.load_balancers import LOAD_BALANCER
from simulator.kinds.projects import PROJECT
from simulator.kinds.registries import REGISTRY
from simulator.kinds.reserved_ips import FLOATING_IP, RESERVED_IP
from simulator.kinds.sizes import SIZE
from simulator.kinds.snapshots import SNAPSHOT
from simulator.kinds.tags import TAG
from simulator.kinds.volumes import VOLUME
from simulator.kinds.vpcs import VPC

KINDS: tuple[Kind, ...] = (
    ACCOUNT,
    ACTION,
    APP,
    BILLING,
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
    PROJECT,
    REGISTRY,
    RESERVED_IP,
    SIZE,
    SNAPSHOT,
    TAG,
    VOLUME,
    VPC,
)
