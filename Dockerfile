# One image for each process: SERVICE is a service's name, or gateway, and says whose lock it holds.
FROM python:3.13-slim AS build
ARG SERVICE=gateway
WORKDIR /app
COPY requirements requirements
RUN python -m venv /venv && \
    /venv/bin/pip install --no-cache-dir --require-hashes -r "requirements/image-${SERVICE}.txt"
COPY . .
# The pages' typeface, icons and scripts; npm comes from its lock into the build stage's own Python.
RUN if [ "$SERVICE" = gateway ]; then python scripts/assets; fi && rm -rf node_modules requirements scripts
# Run from /app, templates and migrations beside the code.
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation -e . && \
    /venv/bin/python -m compileall -q /app

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home fiche
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER fiche
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
ENTRYPOINT ["fiche"]
