# One image for every process of production; compose.yaml says which runs what. Its Python is that of the
# gate: what ships is what was tested.
FROM python:3.11-slim-bookworm AS packages
COPY requirements/base.txt /tmp/base.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/base.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin arcadia
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ARCADIA_STATIC_ROOT=/srv/static
COPY --from=packages /venv /venv
WORKDIR /srv/arcadia-cloud
COPY manage.py ./
COPY arcadia_cloud ./arcadia_cloud
COPY inventory ./inventory
COPY catalog ./catalog
COPY deployments ./deployments
COPY billing ./billing
COPY provisioning ./provisioning
COPY metering ./metering
COPY drift ./drift
COPY templates ./templates
# The console shows the runbook of an alert from it.
COPY docs/operations.md ./docs/operations.md
# The static files need settings, not their values: these live for this one step, and no server is asked.
RUN ARCADIA_ENV=production ALLOWED_HOSTS=build DO_API_TOKEN=build \
    DATABASE_URL=postgresql://build/build REDIS_URL=redis://build/0 \
    ARCADIA_JWT_ISSUER=build ARCADIA_JWT_AUDIENCE=build \
    SECRET_KEY=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef \
    ARCADIA_JWT_SECRET=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef \
    python manage.py collectstatic --no-input
ENV ARCADIA_ENV=production
USER arcadia
EXPOSE 4005
CMD ["gunicorn", "arcadia_cloud.wsgi:application", "--bind", "0.0.0.0:4005", \
     "--worker-class", "arcadia_cloud.http.web_worker.WebWorker", "--workers", "2", "--threads", "4", \
     "--logger-class", "arcadia_cloud.http.web_logger.WebLogger", \
     "--worker-tmp-dir", "/dev/shm", "--graceful-timeout", "30", "--no-control-socket", \
     "--max-requests", "10000", "--max-requests-jitter", "1000"]
