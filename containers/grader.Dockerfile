# A worker that grades: the package, the sandbox and Dask; no sources, no submissions, no gradebook.
#   docker build -f containers/grader.Dockerfile -t genssl-grader .
#   docker run --rm --network host --security-opt seccomp=unconfined \
#     --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     -v "$PWD/certificates:/certificates:ro" \
#     -e DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=true \
#     -e DASK_DISTRIBUTED__COMM__TLS__CA_FILE=/certificates/ca.pem \
#     -e DASK_DISTRIBUTED__COMM__TLS__WORKER__CERT=/certificates/worker.pem \
#     -e DASK_DISTRIBUTED__COMM__TLS__WORKER__KEY=/certificates/worker.key \
#     genssl-grader tls://HOST:8786 --nthreads 4
# The security options let the sandbox make its namespaces; a container's own walls forbid that.
# The scheduler and the other workers call a worker back, so it has the host's network. The files of
# `certificates/` are yours to make; the user `grader` (its number is 1000) must be able to read them.
FROM python:3.12-slim
ENV PIP_NO_CACHE_DIR=1 PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu

RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home grader \
    && install -d -o grader /home/grader/genssl
USER grader
WORKDIR /home/grader/genssl

COPY --chown=grader Makefile pyproject.toml constraints.txt README.md LICENSE LICENSE-text ./
COPY --chown=grader genssl_utils genssl_utils
RUN make install
RUN .venv/bin/genssl doctor

ENTRYPOINT [".venv/bin/dask", "worker", "--no-nanny"]
