"""Managed platforms: databases, Kubernetes clusters, apps.

These responses are full of secrets: a database's connections and users have passwords, an app's spec has the
values of its environment and the addresses of its repositories. None of them is a field here.
"""

from typing import TYPE_CHECKING, ClassVar

from arcadia_cloud.digitalocean.records.base import Instant, NullableRecord, Record, Region, Strings, Text


class DatabaseWindow(NullableRecord, frozen=True, gc=False):
    """The maintenance window: a weekday, and a time of day in UTC."""

    day: Text = ""
    hour: Text = ""

    empty: ClassVar = (("day", str), ("hour", str))


class DatabaseRecord(NullableRecord, frozen=True, gc=False):
    """A database cluster. `storage_size_mib` is in MiB; `region` is a slug."""

    id: str
    name: str
    engine: str
    size: str
    num_nodes: int
    region: str
    version: Text = ""
    status: Text = ""
    created_at: Instant | None = None
    storage_size_mib: int | None = None
    private_network_uuid: Text = ""
    maintenance_window: DatabaseWindow | None = None
    tags: Strings = []

    empty: ClassVar = (("version", str), ("status", str), ("private_network_uuid", str), ("tags", list))


class ClusterNode(NullableRecord, frozen=True, gc=False):
    """A worker. `droplet_id` is empty until its droplet is there."""

    droplet_id: Text = ""

    empty: ClassVar = (("droplet_id", str),)


if TYPE_CHECKING:
    Nodes = list[ClusterNode]
else:
    Nodes = list[ClusterNode] | None


class NodePool(NullableRecord, frozen=True, gc=False):
    """Workers of one size, a droplet's."""

    id: str
    name: str
    size: str
    count: int
    auto_scale: bool | None = None
    min_nodes: int | None = None
    max_nodes: int | None = None
    nodes: Nodes = []

    empty: ClassVar = (("nodes", list),)


if TYPE_CHECKING:
    NodePools = list[NodePool]
else:
    NodePools = list[NodePool] | None


class ClusterStatus(NullableRecord, frozen=True, gc=False):
    state: Text = ""

    empty: ClassVar = (("state", str),)


class KubernetesClusterRecord(NullableRecord, frozen=True, gc=False):
    """A Kubernetes cluster. `ha`: its control plane is doubled, which costs. `region` is a slug."""

    id: str
    name: str
    region: str
    version: str
    node_pools: NodePools
    status: ClusterStatus | None = None
    ha: bool | None = None
    auto_upgrade: bool | None = None
    vpc_uuid: Text = ""
    cluster_subnet: Text = ""
    service_subnet: Text = ""
    ipv4: Text = ""
    endpoint: Text = ""
    created_at: Instant | None = None
    tags: Strings = []

    empty: ClassVar = (
        ("node_pools", list),
        ("vpc_uuid", str),
        ("cluster_subnet", str),
        ("service_subnet", str),
        ("ipv4", str),
        ("endpoint", str),
        ("tags", list),
    )


class AppComponent(NullableRecord, frozen=True, gc=False):
    """A part of an app that runs, or, of a static site, is only served."""

    name: str
    instance_size_slug: Text = ""
    instance_count: int | None = None

    empty: ClassVar = (("instance_size_slug", str),)


class AppDomain(Record, frozen=True, gc=False):
    domain: str


if TYPE_CHECKING:
    Components = list[AppComponent]
    AppDomains = list[AppDomain]
else:
    Components = list[AppComponent] | None
    AppDomains = list[AppDomain] | None


class AppSpec(NullableRecord, frozen=True, gc=False):
    name: str
    services: Components = []
    workers: Components = []
    jobs: Components = []
    static_sites: Components = []
    functions: Components = []
    domains: AppDomains = []

    empty: ClassVar = (
        ("services", list),
        ("workers", list),
        ("jobs", list),
        ("static_sites", list),
        ("functions", list),
        ("domains", list),
    )


class AppDeployment(NullableRecord, frozen=True, gc=False):
    phase: Text = ""

    empty: ClassVar = (("phase", str),)


class AppRecord(NullableRecord, frozen=True, gc=False):
    """An app. Its region is a group of data centres, as `fra`; `active_deployment` is what it serves now."""

    id: str
    spec: AppSpec
    created_at: Instant | None = None
    region: Region | None = None
    tier_slug: Text = ""
    default_ingress: Text = ""
    live_url: Text = ""
    active_deployment: AppDeployment | None = None

    empty: ClassVar = (("tier_slug", str), ("default_ingress", str), ("live_url", str))
