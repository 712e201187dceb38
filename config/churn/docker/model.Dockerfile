# An MLServer that serves one version of the churn model: `docker run ... v1`. The models are trained when this is built.
# Nothing is fetched while this is built. BASE is any image with Python 3.11 as `python3`, with venv.
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
COPY build/docker/wheels/mlserver /wheels
COPY requirements/mlserver.txt /
RUN python3 -m venv /opt/mlserver \
 && /opt/mlserver/bin/pip install --no-cache-dir --no-index --find-links /wheels --no-compile -r /mlserver.txt
# The registry needs nothing but Python to load a model; to add one it reads contracts, in an environment of its own.
COPY build/docker/wheels/stepdown /stepdown
RUN /opt/mlserver/bin/pip install --no-cache-dir --no-index --find-links /stepdown --no-compile --no-deps stepdown \
 && python3 -m venv /opt/stepdown \
 && /opt/stepdown/bin/pip install --no-cache-dir --no-index --find-links /stepdown --no-compile stepdown
COPY config/churn/train.py config/churn/register.py /churn/
COPY config/churn/contracts /churn/contracts
COPY config/churn/models /churn/models
RUN /opt/mlserver/bin/python /churn/train.py /models && /opt/stepdown/bin/python /churn/register.py /models

FROM ${BASE}
COPY --from=build /opt/mlserver /opt/mlserver
COPY --from=build /models /models
ENV PATH=/opt/mlserver/bin:$PATH MLSERVER_HTTP_PORT=8080 OMP_NUM_THREADS=1 \
    STEPDOWN_REGISTRY=/models/model_registry
USER 10001:10001
EXPOSE 8080
# MLServer finds a model's files relative to the folder that it is started in.
ENTRYPOINT ["sh", "-c", "cd /models/$0 && exec mlserver start ."]
CMD ["v1"]
