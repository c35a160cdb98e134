"""Runs that are killed at random instants end as if they had not been; see kill_runs.py."""

import subprocess
import sys
from pathlib import Path

import keras
import pytest


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tested on TensorFlow")
def test_kills_at_random_instants(tmp_path):
    script = Path(__file__).resolve().parent / "kill_runs.py"
    command = [sys.executable, str(script), str(tmp_path), "--kills", "10"]
    command += ["--models", "vae_digits", "gan_ring"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.startswith("10 kills:")
