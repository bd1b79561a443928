PY := .venv/bin/python
DEMO ?= demo

.PHONY: venv engines demo test check bench docs clean

venv: .venv/ready

# Bytecode is compiled at installation: a cold import of statsmodels or scipy takes seconds without it.
.venv/ready: requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch .venv/ready

# Spark and embedded ClickHouse, 1.2 GB: only tests of the engines need them, and Spark needs Java 17.
engines: .venv/engines

.venv/engines: .venv/ready requirements-engines.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-engines.lock
	touch .venv/engines

demo: venv
	.venv/bin/primeta demo $(DEMO)

# A file of tests in one process: what its tests share is made once. Bytecode is kept even where the
# environment forbids it: every process that a test starts would compile the whole source anew.
test: venv
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(PY) -m pytest -m "not slow" -n 2 --dist loadfile

check: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/basedpyright
	.venv/bin/lint-imports
	OMP_NUM_THREADS=1 $(PY) -m pytest -m slow -n 2 --dist loadgroup
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict --quiet --site-dir build/site

bench: venv
	$(PY) -m benchmarks $(ONLY)

docs: venv
	.venv/bin/mkdocs serve

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --all-extras --group dev --group docs --group bench pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --group engines -c requirements.lock -o requirements-engines.lock

clean:
	rm -rf .venv build site .pytest_cache .ruff_cache
