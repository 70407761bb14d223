# `make check` is what CI runs, in the environment at hand; `.ci/run` does the same in a fresh one.
.PHONY: check lint test test-fast docs art samples
check: lint test

lint:
	ruff check .
	ruff format --check framestyle tests integrations
	mypy
	lint-imports

test:
	pytest -n auto --dist loadfile

# What a change is tried on first: every room, without whole renders. Under two minutes on two cores.
FAST = tests/test_*.py tests/presets tests/photos \
	$(patsubst %,tests/doors/test_%.py,console doctor_cli presets_cli remaining sheet sweeps threads verify_cli) \
	$(patsubst %,tests/jobs/test_%.py,estimate inputs manifest masks plan preview_times queues recipes scratch) \
	$(patsubst %,tests/media/test_%.py,files probe segments sequences) \
	$(patsubst %,tests/motion/test_%.py,excerpts flow sampling shots) \
	$(patsubst %,tests/nst/test_%.py,color devices image losses memory optim raft_weights spectrum vgg weights)

test-fast:
	pytest -n auto --dist loadfile -m "not slow" $(FAST)

# The documentation as a site, in site/.
docs:
	zensical build --clean --strict

art:
	python presets/art/paint.py

samples:
	python samples/draw.py
