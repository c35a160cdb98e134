PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 2

.PHONY: help demo test lint lab notebooks benchmark zoo clean

help:
	@echo "make demo       train vae_digits, evaluate, draw samples, export a SavedModel (into demo/)"
	@echo "make test       lint and the whole test suite"
	@echo "make lint       ruff check and ruff format --check"
	@echo "make lab        open the notebooks in JupyterLab"
	@echo "make notebooks  execute every notebook in place from a clean kernel"
	@echo "make benchmark  images per second of fit against a plain Keras loop"
	@echo "make zoo        train, measure and release every preset (hours; DATA_DIR=D for prepared data)"
	@echo "make clean      remove the virtual environment, the demo and caches"

# Installed again whenever the package's metadata changes.
$(VENV)/.installed: setup.cfg pyproject.toml
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

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lab: $(VENV)/.installed-notebooks
	cd notebooks && $(abspath $(BIN))/jupyter lab

notebooks: $(VENV)/.installed-test
	$(BIN)/python notebooks/execute.py

benchmark: $(VENV)/.installed
	$(BIN)/python benchmarks/throughput.py

zoo: $(VENV)/.installed
	$(BIN)/python benchmarks/zoo.py $(if $(DATA_DIR),--data-dir $(DATA_DIR))

clean:
	rm -rf $(VENV) demo build .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
