# One image for web server, worker and scheduler; the command decides which it is.
FROM python:3.11-slim AS packages
COPY requirements.lock .
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home releasemgr \
 && install --directory --owner=releasemgr /var/lib/releasemgr
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    BIND_ADDRESS=0.0.0.0 \
    PORT=8000 \
    STATIC_ROOT=/opt/static \
    VAR_DIR=/var/lib/releasemgr
WORKDIR /app
COPY . .
# The key signs nothing here and is not kept: collecting files only needs the settings to load.
RUN SECRET_KEYS=unused VAR_DIR=/tmp/build python manage.py collectstatic --no-input \
 && rm -r /tmp/build
USER releasemgr
VOLUME /var/lib/releasemgr
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gunicorn", "releasemgr.wsgi"]
