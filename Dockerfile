# The sidecar: Python and the wheels that were collected outside (`make wheels`), run by nobody in particular.
# Nothing is fetched while this is built. BASE is any image with Python 3.11 as `python3`, with venv.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
COPY build/docker/wheels/stepdown /wheels
RUN python3 -m venv /opt/stepdown \
 && /opt/stepdown/bin/pip install --no-cache-dir --no-index --find-links /wheels --no-compile stepdown \
 && rm -rf /opt/stepdown/lib/python3*/site-packages/pip*

FROM ${BASE}
COPY --from=build /opt/stepdown /opt/stepdown
ENV PATH=/opt/stepdown/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /etc/stepdown
EXPOSE 8080 9902
STOPSIGNAL SIGTERM
ENTRYPOINT ["stepdown"]
CMD ["run", "/etc/stepdown/stepdown.yaml"]
