PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# PyTorch has an environment of its own, without TensorFlow. Its CPU wheel where one is offered: the
# one of PyPI brings gigabytes of CUDA.
TORCH_VENV := .venv-torch
TORCH_BIN  := $(TORCH_VENV)/bin
TORCH_CPU  ?= torch==2.13.0+cpu
WORKERS ?= 2
ON_ALL_BACKENDS := tests/test_contract.py tests/test_philox.py tests/test_backends.py tests/test_without_tensorflow.py

.PHONY: help demo test test-torch lint lab notebooks benchmark zoo clean

help:
	@echo "make demo       train vae_digits, evaluate, draw samples, export a SavedModel (into demo/)"
	@echo "make test       lint, the whole test suite on TensorFlow, and the backends' tests on JAX"
	@echo "make test-torch the backends' tests on PyTorch, in an environment without TensorFlow"
	@echo "make lint       ruff check and ruff format --check"
	@echo "make lab        open the notebooks in JupyterLab"
	@echo "make notebooks  execute every notebook in place from a clean kernel"
	@echo "make benchmark  speed of fit against a plain Keras loop; precision, growth, starts, sampling"
	@echo "make zoo        train, measure and release every preset (hours; DATA_DIR=D for prepared data)"
	@echo "make clean      remove the virtual environment, the demo and caches"

# Installed again whenever the package's metadata changes.
$(VENV)/.installed: setup.cfg pyproject.toml $(wildcard requirements/*.txt)
	@echo "installing into $(VENV): TensorFlow takes a few minutes to download"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.installed-notebooks: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[notebooks]'
	@touch $@

$(TORCH_VENV)/.installed: setup.cfg pyproject.toml requirements/core.txt requirements/test.txt
	$(PYTHON) -m venv $(TORCH_VENV)
	$(TORCH_BIN)/python -m pip install --quiet '$(TORCH_CPU)' \
		|| $(TORCH_BIN)/python -m pip install --quiet torch
	$(TORCH_BIN)/python -m pip install --quiet -r requirements/core.txt -r requirements/test.txt jax
	$(TORCH_BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

demo: $(VENV)/.installed
	@rm -rf demo
	$(BIN)/keras-gen train vae_digits --run-dir demo/run
	$(BIN)/keras-gen evaluate demo/run > demo/metrics.txt
	$(BIN)/keras-gen sample demo/run -n 64 --seed 1 --out demo/samples.png
	$(BIN)/keras-gen export demo/run demo/saved_model
	@echo
	@echo "training run    demo/run          (config, history, checkpoints, TensorBoard events)"
	@echo "metrics         demo/run/metrics.json  (on the test set, below)"
	@echo "samples         demo/samples.png  (and one picture per epoch in demo/run/samples)"
	@echo "SavedModel      demo/saved_model  (with card.json)"
	@echo
	@cat demo/metrics.txt

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
	KERAS_BACKEND=jax $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ON_ALL_BACKENDS)

test-torch: $(TORCH_VENV)/.installed
	KERAS_BACKEND=torch $(TORCH_BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ON_ALL_BACKENDS)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lab: $(VENV)/.installed-notebooks
	cd notebooks && $(abspath $(BIN))/jupyter lab

notebooks: $(VENV)/.installed-test
	$(BIN)/python notebooks/execute.py

benchmark: $(VENV)/.installed
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/precision.py
	$(BIN)/python benchmarks/growth.py

zoo: $(VENV)/.installed
	$(BIN)/python benchmarks/zoo.py $(if $(DATA_DIR),--data-dir $(DATA_DIR))

clean:
	rm -rf $(VENV) $(TORCH_VENV) demo build .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
