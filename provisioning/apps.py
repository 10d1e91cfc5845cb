from django.apps import AppConfig
from django.utils.module_loading import import_string


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    verbose_name = "Provisioning"

    def ready(self) -> None:
        """Make the workflows known."""
        # By name: this module is imported before the models are loaded.
        import_string("provisioning.workflows.register_all")()
