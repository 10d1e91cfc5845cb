from django.db import migrations

# What a saga said of resources that an operator has assigned since is in their history alone, and stays there.
KEEP_THE_SAGAS_WORD = """
UPDATE cloud_resources SET saga_tenant_id = tenant_id, saga_deployment_id = deployment_id
WHERE attributed_by = 'saga' AND saga_tenant_id IS NULL
"""


class Migration(migrations.Migration):
    """Apart from the columns: in one transaction the table's lock would last as long as the rows take."""

    dependencies = [("inventory", "0010_remember_evidence_of_owners")]

    operations = [migrations.RunSQL(KEEP_THE_SAGAS_WORD, migrations.RunSQL.noop)]
