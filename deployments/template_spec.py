"""The spec of a deployment template: a schema, its rules, and its variables filled in.

Texts may name `{slug}`, `{tenant}` and `{region}` of the deployment that is made from it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, NoReturn, TypeAlias

import msgspec

from arcadia_cloud.kernel.struct_errors import field_and_rule
from deployments.errors import InvalidTemplate

VARIABLES: Final = frozenset({"slug", "tenant", "region"})
MOST_DROPLETS: Final = 20
_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_BRACE: Final = re.compile(r"[{}]")

Key: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z](?:[a-z0-9-]{0,30}[a-z0-9])?$",
        description="Its name within the template: lower-case letters, digits and hyphens, a letter first.",
    ),
]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class DropletTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A droplet of the deployment. Its region is the deployment's, unless it names one."""

    key: Key
    name: Text
    size: Text
    image: Annotated[int, msgspec.Meta(ge=1)] | Text
    region: Text = "{region}"
    tags: list[Text] = []
    ssh_keys: list[int | str] = []
    user_data: Annotated[str, msgspec.Meta(max_length=60_000)] = ""
    backups: bool = False
    ipv6: bool = False
    monitoring: bool = True


class VolumeTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A volume, attached to a droplet of the template."""

    key: Key
    name: Text
    droplet: Key
    size_gb: Annotated[int, msgspec.Meta(ge=1, le=16_384)]


class DnsRecordTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name in a zone of ours that points to a droplet of the template; one at most for each droplet."""

    droplet: Key
    domain: Text
    name: Text
    ttl: Annotated[int, msgspec.Meta(ge=30, le=86_400)] = 1800


class TemplateSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts that a deployment is made of. `tags` are every droplet's and volume's, beside its own."""

    project: Text
    droplets: Annotated[list[DropletTemplate], msgspec.Meta(min_length=1, max_length=MOST_DROPLETS)]
    volumes: Annotated[list[VolumeTemplate], msgspec.Meta(max_length=MOST_DROPLETS)] = []
    dns_records: Annotated[list[DnsRecordTemplate], msgspec.Meta(max_length=MOST_DROPLETS)] = []
    tags: list[Text] = []


def parse_spec(spec: Any) -> TemplateSpec:
    """Return the spec as its type. Raises InvalidTemplate, which names the field and the rule."""
    try:
        parsed = msgspec.convert(spec, TemplateSpec)
    except msgspec.ValidationError as error:
        _refuse(*field_and_rule(error, TemplateSpec, root="spec"))
    _check_texts(spec, "spec")
    _check_keys(parsed)
    return parsed


def fill_in(spec: TemplateSpec, variables: Mapping[str, str]) -> TemplateSpec:
    """Return the spec with the variables' values in its texts; every variable must have one.

    Raises InvalidTemplate for a variable that is empty, as the region of a deployment without one.
    """
    used = {name for text in _texts_of(msgspec.to_builtins(spec)) for name in _VARIABLE.findall(text)}
    for name in sorted(used):
        if not variables.get(name):
            _refuse("spec", f"{{{name}}} is empty for this deployment")
    # Read anew as its type: a value may be too long for its place.
    filled = _fill_in(msgspec.to_builtins(spec), variables)
    return msgspec.convert(filled, TemplateSpec)


def _fill_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: variables[match[1]], value)
    if isinstance(value, list):
        return [_fill_in(each, variables) for each in value]
    if isinstance(value, dict):
        # A program for the guest's first start has braces of its own.
        return {
            name: each if name == "user_data" else _fill_in(each, variables) for name, each in value.items()
        }
    return value


def _texts_of(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts_of(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name != "user_data":
                yield from _texts_of(each)


def _check_texts(value: Any, path: str) -> None:
    """Refuse a variable that doesn't exist, and a brace that belongs to none."""
    if isinstance(value, str):
        unknown = sorted(set(_VARIABLE.findall(value)) - VARIABLES)
        if unknown or _BRACE.search(_VARIABLE.sub("", value)):
            known = ", ".join(f"{{{name}}}" for name in sorted(VARIABLES))
            _refuse(path, f"the variables are {known}")
        _refuse_unstorable(value, path)
    elif isinstance(value, list):
        for idx, each in enumerate(value):
            _check_texts(each, f"{path}[{idx}]")
    elif isinstance(value, dict):
        for name, each in value.items():
            if name == "user_data":
                _refuse_unstorable(each, f"{path}.{name}")
            else:
                _check_texts(each, f"{path}.{name}")


def _refuse_unstorable(text: str, path: str) -> None:
    # A lone surrogate is what UTF-8 has no bytes for.
    if "\0" in text or text != text.encode(errors="replace").decode():
        _refuse(path, "holds a character that can't be stored (NUL or a lone surrogate)")


def _check_keys(spec: TemplateSpec) -> None:
    keys = [*(each.key for each in spec.droplets), *(each.key for each in spec.volumes)]
    _refuse_repeated("spec.droplets", keys, "a key stands for one thing")
    _refuse_repeated("spec.droplets", [each.name for each in spec.droplets], "a name stands for one droplet")
    _refuse_repeated("spec.volumes", [each.name for each in spec.volumes], "a name stands for one volume")
    _refuse_repeated(
        "spec.dns_records", [each.droplet for each in spec.dns_records], "a droplet has one record at most"
    )
    droplets = {each.key for each in spec.droplets}
    named = {
        "volumes": [each.droplet for each in spec.volumes],
        "dns_records": [each.droplet for each in spec.dns_records],
    }
    for field, keys_of_droplets in named.items():
        for idx, key in enumerate(keys_of_droplets):
            if key not in droplets:
                _refuse(f"spec.{field}[{idx}].droplet", f"there is no droplet {key!r} in the template")


def _refuse_repeated(field: str, values: list[str], rule: str) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        _refuse(field, f"{', '.join(repeated)}: {rule}")


def _refuse(field: str, rule: str) -> NoReturn:
    raise InvalidTemplate(f"{field}: {rule}", errors={field: [rule]})
