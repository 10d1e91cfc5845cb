"""The kinds of resource, a module each: its endpoints, and a `Kind` that tells projects and tags of it.

A new kind is a module here and a line in `KINDS`.
"""

from simulator.account import Kind
from simulator.kinds.account import ACCOUNT
from simulator.kinds.actions import ACTION
from simulator.kinds.droplet_actions import DROPLET_ACTION
from simulator.kinds.droplets import DROPLET
from simulator.kinds.images import IMAGE
from simulator.kinds.projects import PROJECT
from simulator.kinds.sizes import SIZE
from simulator.kinds.tags import TAG

KINDS: tuple[Kind, ...] = (ACCOUNT, ACTION, DROPLET, DROPLET_ACTION, IMAGE, PROJECT, SIZE, TAG)
