"""The demo's book, after the whole main job, is sound by the money audit's rules."""

import pytest
from django.utils import timezone

from arcadia_cloud.main_job.pipeline import STAGES, run_stages
from arcadia_cloud.main_job.seeds.demo import seed_demo
from billing.services import compute_daily_costs, run_audit
from tests.simulated import Simulated, SimulatedFinance


@pytest.mark.django_db(transaction=True)
def test_the_demo_is_sound(simulator: Simulated, finance: SimulatedFinance, patient_broker: None) -> None:
    seed_demo()
    results = list(run_stages(STAGES, lambda _words: None))
    assert not [result for result in results if result.error]
    compute_daily_costs(at=timezone.now())
    found = {
        each.rule.code: [f"{fault.subject}: {fault.actual}" for fault in each.faults[:3]]
        for each in run_audit(at=timezone.now(), actor="a test")
        if each.faults
    }
    assert found == {}
