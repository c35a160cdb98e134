"""What must be set before a backend is imported; `conftest.py` imports this first."""

import os
import tempfile
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # A core for each worker, and for what it starts: more threads would wait for each other.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# Two devices on one processor stand for two replicas. They can be made only before the backend
# first touches its devices, hence here and not in a fixture.
FLAGS = ["--xla_force_host_platform_device_count=2"]
if os.environ.get("KERAS_BACKEND") == "jax":
    # Tests compile for longer than they compute: with little optimization, and once for all.
    FLAGS += ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(Path(tempfile.gettempdir(), f"jax-{run}"))
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
