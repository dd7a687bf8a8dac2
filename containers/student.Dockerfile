# The course as a student opens it, without the reference answers.
#   docker build -f containers/student.Dockerfile -t genssl-student .
#   docker run --rm -p 127.0.0.1:8888:8888 -v genssl-work:/home/student/genssl/notebooks genssl-student
# The volume keeps what was written when the container goes.
FROM python:3.12-slim
ENV PIP_NO_CACHE_DIR=1 PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu

RUN apt-get update \
    && apt-get install -y --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home student \
    && install -d -o student /home/student/genssl
USER student
WORKDIR /home/student/genssl

# Installed before the notebooks come, which change more often.
COPY --chown=student Makefile pyproject.toml constraints.txt README.md LICENSE LICENSE-text ./
COPY --chown=student genssl_utils genssl_utils
RUN make install

COPY --chown=student book/results book/results
COPY --chown=student notebooks notebooks
RUN .venv/bin/genssl doctor

EXPOSE 8888
CMD [".venv/bin/jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks/00_start_here/00_start_here.ipynb"]
