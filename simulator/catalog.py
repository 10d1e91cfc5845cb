"""The catalog of sizes, regions and public images, read from the data files.

Its prices are rounded: good enough for estimates, never for an invoice.
"""

import csv
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

Json = dict[str, Any]  # a JSON object as it goes over the wire

_DATA: Final = Path(__file__).parent / "data"
_REGION_FEATURES: Final = [
    "backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer", "server_id",
    "management_networking",
]  # fmt: skip


def _read_csv(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def float32(value: str) -> float:
    """Round to 32 bits, as DigitalOcean's prices are (0.00744 becomes 0.00743999984115362)."""
    # 15 digits, as DigitalOcean prints a double: more would show the noise of the conversion.
    (single,) = struct.unpack("f", struct.pack("f", float(value)))
    return float(f"{single:.15g}")


def _gpu(row: Mapping[str, str]) -> Json | None:
    if not row["gpu_model"]:
        return None
    return {
        "count": int(row["gpu_count"]),
        "vram": {"amount": int(row["vram_gib"]), "unit": "gib"},
        "model": row["gpu_model"],
    }


def _size(row: Mapping[str, str], regions: list[str]) -> Json:
    disks: list[Json] = [{"type": "local", "size": {"amount": int(row["disk_gb"]), "unit": "gib"}}]
    if row["scratch_gib"]:
        disks.append({"type": "scratch", "size": {"amount": int(row["scratch_gib"]), "unit": "gib"}})
    size: Json = {
        "slug": row["slug"],
        "memory": int(row["memory_mb"]),
        "vcpus": int(row["vcpus"]),
        "disk": int(row["disk_gb"]),
        "transfer": float(row["transfer_tb"]),
        "price_monthly": float(row["price_monthly"]),
        "price_hourly": float32(row["price_hourly"]),
        "regions": regions,
        "available": True,
        "description": row["description"],
        "disk_info": disks,
    }
    gpu = _gpu(row)
    if gpu is not None:
        size["gpu_info"] = gpu
    return size


def _region(row: Mapping[str, str], sizes: list[Json]) -> Json:
    return {
        "name": row["name"],
        "slug": row["slug"],
        "features": _REGION_FEATURES,
        "available": row["available"] == "yes",
        "sizes": [size["slug"] for size in sizes if row["slug"] in size["regions"]],
    }


def _image(row: Mapping[str, str], regions: list[str]) -> Json:
    return {
        "id": int(row["id"]),
        "name": row["name"],
        "distribution": row["distribution"],
        "slug": row["slug"],
        "public": True,
        "regions": regions,
        "created_at": row["created_at"],
        "min_disk_size": int(row["min_disk_gb"]),
        "type": "base",
        "size_gigabytes": float(row["size_gb"]),
        "description": row["description"],
        "tags": [],
        "status": "available",
        "error_message": "",
    }


_REGION_ROWS: Final = _read_csv("regions.csv")
# A closed region is still listed, but has no sizes and images.
_OPEN_REGIONS: Final = [row["slug"] for row in _REGION_ROWS if row["available"] == "yes"]
_GPU_REGIONS: Final = [row["slug"] for row in _REGION_ROWS if row["gpu"] == "yes"]
_SIZES: Final = [
    _size(row, _GPU_REGIONS if row["gpu_model"] else _OPEN_REGIONS) for row in _read_csv("sizes.csv")
]
_IMAGE_ROWS: Final = _read_csv("images.csv")

SIZES: Final[Mapping[str, Json]] = {size["slug"]: size for size in _SIZES}
REGIONS: Final[Mapping[str, Json]] = {row["slug"]: _region(row, _SIZES) for row in _REGION_ROWS}
IMAGES: Final[Mapping[int, Json]] = {int(row["id"]): _image(row, _OPEN_REGIONS) for row in _IMAGE_ROWS}
IMAGE_IDS: Final[Mapping[str, int]] = {row["slug"]: int(row["id"]) for row in _IMAGE_ROWS}
APPLICATIONS: Final = frozenset(int(row["id"]) for row in _IMAGE_ROWS if row["kind"] == "application")
# Encoded once, by slug or id: a page of droplets repeats them hundreds of times.
ENCODED: Final[Mapping[str | int, msgspec.Raw]] = {
    key: msgspec.Raw(msgspec.json.encode(value))
    for offered in (SIZES, REGIONS, IMAGES)
    for key, value in offered.items()
}
