"""The queue's name and the tasks', as nudges and the schedule send them."""

from typing import Final

QUEUE: Final = "provisioning"
ADVANCE_SAGA: Final = "provisioning.advance_saga"
ADVANCE_DUE_SAGAS: Final = "provisioning.walk_due_sagas"
SWEEP: Final = "provisioning.sweep"
REPORT_ORPHANS: Final = "provisioning.report_strays"
READ_OFFER: Final = "provisioning.read_provider_offer"
DELETE_OLD_FEED_EVENTS: Final = "provisioning.delete_old_feed_events"
