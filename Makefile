# `make check` is what CI runs, in the environment at hand; `.ci/run` does the same in a fresh one.
.PHONY: check lint test art samples
check: lint test

lint:
	ruff check .
	ruff format --check framestyle tests
	mypy
	lint-imports

test:
	pytest -n auto --dist loadfile

art:
	python presets/art/paint.py

samples:
	python samples/draw.py
