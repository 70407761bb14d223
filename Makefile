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
FAST = tests/test_*.py tests/presets tests/jobs/watch tests/media/test_files.py tests/media/pipes/test_framing.py \
	$(patsubst %,tests/doors/test_%.py,console doctor_cli presets_cli remaining sheet sweeps threads verify_cli) \
	$(patsubst %,tests/doors/studio/test_%.py,presets queue) \
	$(patsubst %,tests/jobs/test_%.py,claims estimate frame_store inputs manifest masks plan preview_times queues recipes scratch) \
	$(patsubst %,tests/media/video/test_%.py,ends probe segments) \
	$(patsubst %,tests/motion/test_%.py,bookmark excerpts flow sampling shots) \
	$(patsubst %,tests/nst/test_%.py,color contents devices finishing image) \
	$(patsubst %,tests/nst/%.py,network/test_placement network/test_vgg optimise/test_optim statistics/test_losses \
		statistics/test_spectrum weights/test_raft_weights weights/test_weights)

test-fast:
	pytest -n auto --dist loadfile -m "not slow" $(FAST)

# The documentation as a site, in site/.
docs:
	zensical build --clean --strict

art:
	python presets/art/paint.py

samples:
	python samples/draw.py
