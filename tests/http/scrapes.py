"""The samples of /metrics, read as Prometheus reads them."""

from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True)
class Scrape:
    """The samples of one scrape. `names` are those of the series, with their types' endings."""

    text: str

    @property
    def names(self) -> set[str]:
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        return {
            family.name + ending
            for family in text_string_to_metric_families(self.text)
            for ending in endings.get(family.type, ("",))
        }

    def value(self, name: str, **labels: Any) -> float | None:
        """The sample with exactly these labels; None where there is none."""
        wanted = {label: str(value) for label, value in labels.items()}
        found = [
            sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == name and sample.labels == wanted
        ]
        assert len(found) <= 1, f"{name} {wanted} stands {len(found)} times"
        return found[0] if found else None

    def total(self, name: str, **labels: Any) -> float:
        """The sum of the samples that have these labels among theirs."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
