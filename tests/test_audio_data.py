"""Audio: tones of known frequency in files, resampling and spectrograms; every error message."""

import dataclasses
import json
import struct

import numpy as np
import pytest
from refusal import refused
from scipy.io import wavfile

from keras_gen import data, runs
from keras_gen.data import spectrograms

RATE = 8000
TONES = (440.0, 1000.0, 2300.0)


def tone(hertz, rate=RATE, seconds=1.0, level=0.5):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def chirp():
    t = np.arange(RATE) / RATE
    return 0.5 * np.sin(2 * np.pi * (200 * t + 1400 * t**2))


def dominant(sound, rate=RATE):
    """Returns the frequency of the greatest magnitude, in hertz."""
    return np.argmax(np.abs(np.fft.rfft(sound))) * rate / len(sound)


def write(path, sound, rate=RATE, dtype=np.int16):
    path.parent.mkdir(parents=True, exist_ok=True)
    scale, zero = {np.uint8: (2**7, 128), np.int16: (2**15, 0), np.int32: (2**31, 0)}.get(
        dtype, (1, 0)
    )
    top = 2.0**63 if scale == 1 else scale - 1
    wavfile.write(path, rate, (np.minimum(sound * scale, top) + zero).astype(dtype))
    return path


@pytest.fixture
def tones(tmp_path):
    """Returns a folder of three tones, which differ in the first digit of their names."""
    for i, hertz in enumerate(TONES):
        for take in range(2):
            write(tmp_path / "tones" / f"{i}_{take}.wav", tone(hertz, level=0.4 + 0.1 * take))
    return tmp_path / "tones"


def load(folder, **options):
    return data.load(f"audio:{folder}", **options)


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_sample_formats(tmp_path, dtype):
    sounds = [tone(440), tone(1000)]
    for i, sound in enumerate(sounds):
        write(tmp_path / f"{i}.wav", sound, dtype=dtype)
    loaded = load(tmp_path, representation="waveform", test_files="1.wav")
    assert loaded.spec.kind == "audio" and loaded.spec.shape == (RATE, 1)
    assert loaded.spec.value_range == (-1.0, 1.0) and loaded.spec.num_classes is None
    step = {np.uint8: 2**-7, np.int16: 2**-15}.get(dtype, 1e-7)
    for split, sound in zip(("train", "test"), sounds, strict=True):
        x = loaded.arrays(split)["x"]
        assert x.dtype == np.float32
        np.testing.assert_allclose(x[0, :, 0], sound, atol=1.01 * step)
        np.testing.assert_array_equal(data.waveform(x, loaded.spec), x[..., 0])


def test_samples_of_24_bits(tmp_path):
    values = np.array([-(2**23), -1, 0, 1, 2**23 - 1])
    body = b"".join(int(v).to_bytes(3, "little", signed=True) for v in values) + b"\0"
    header = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + 16, b"WAVE", b"fmt ", 16, 1, 1, RATE,
                         3 * RATE, 3, 24)  # fmt: skip
    (tmp_path / "a.wav").write_bytes(header + struct.pack("<4sI", b"data", 15) + body)
    write(tmp_path / "b.wav", tone(440))
    options = {"representation": "waveform", "seconds": 5 / RATE, "test_files": "b.wav"}
    x = load(tmp_path, **options).arrays("train")["x"]
    np.testing.assert_allclose(x[0, :, 0], values / 2**23, atol=1e-9)


def test_written_files_come_back(tmp_path):
    ramp = np.arange(-(2**15), 2**15).reshape(2, -1) / 2**15
    for i, sound in enumerate(ramp):
        data.write_wav(tmp_path / f"{i}.wav", sound, RATE)
    loaded = load(tmp_path, representation="waveform", seconds=2**15 / RATE, test_files="1.wav")
    for split, sound in zip(("train", "test"), ramp, strict=True):
        np.testing.assert_array_equal(loaded.arrays(split)["x"][0, :, 0], sound)
    data.write_wav(tmp_path / "loud.wav", [2.0, -2.0], RATE)
    rate, samples = wavfile.read(tmp_path / "loud.wav")
    assert rate == RATE and samples.tolist() == [2**15 - 1, -(2**15)]
    refused("(samples,)", "(2, 3)", call=data.write_wav)(tmp_path / "x.wav", np.zeros((2, 3)), 1)


@pytest.mark.parametrize("rate", [11025, 16000, 44100])
def test_resampling_keeps_a_tone(tmp_path, rate):
    for i, hertz in enumerate((440, 3000)):
        write(tmp_path / f"{i}.wav", tone(hertz, rate), rate)
    loaded = load(tmp_path, representation="waveform", test_files="1.wav")
    assert loaded.spec.audio == {"representation": "waveform", "rate": RATE}
    for split, hertz in (("train", 440), ("test", 3000)):
        sound = loaded.arrays(split)["x"][0, :, 0]
        assert dominant(sound) == pytest.approx(hertz, abs=1)
        np.testing.assert_allclose(sound[100:-100], tone(hertz)[100:-100], atol=0.02)


def test_resampling_does_not_alias(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.wav", tone(6000, 16000), 16000)
    x = load(tmp_path, representation="waveform").arrays("train")["x"]
    assert np.abs(x[0, 100:-100]).max() < 0.01


def test_length_and_channels(tmp_path):
    left, right = tone(440), tone(1000)
    write(tmp_path / "0.wav", np.stack([left, right], axis=1), dtype=np.float32)
    write(tmp_path / "1.wav", left[:100], dtype=np.float32)
    loaded = load(tmp_path, representation="waveform", seconds=0.5, test_files="1.wav")
    mixed, short = (loaded.arrays(split)["x"][0, :, 0] for split in ("train", "test"))
    assert len(mixed) == len(short) == RATE // 2
    np.testing.assert_allclose(mixed, (left + right)[: RATE // 2] / 2, atol=1e-6)
    np.testing.assert_allclose(short[:100], left[:100], atol=1e-6)
    assert not short[100:].any()


def test_classes_and_splits(tmp_path, tones):
    for i, hertz in enumerate(TONES):
        for take in range(4):
            sound = tone(hertz, seconds=0.1)
            write(tmp_path / "classes" / f"tone{i}" / f"{take}.wav", sound)
    options = {"representation": "waveform", "seconds": 0.1}
    loaded = load(tmp_path / "classes", test_fraction=0.5, **options)
    assert loaded.spec.name == "classes" and loaded.spec.num_classes == 3
    assert loaded.size("train") == loaded.size("test") == 6
    for split in ("train", "test"):
        for x, label in zip(*loaded.arrays(split).values(), strict=True):
            assert dominant(x[:, 0]) == pytest.approx(TONES[label], abs=10)
    chosen = load(tmp_path / "classes", test_files="[01].wav", **options)
    np.testing.assert_array_equal(chosen.arrays("test")["label"], [0, 0, 1, 1, 2, 2])
    again, other = (
        load(tones, test_fraction=0.5, seed=seed, **options).arrays("test")["x"] for seed in (0, 1)
    )
    assert again.shape == other.shape and not np.array_equal(again, other)


# ---- spectrograms -------------------------------------------------------------------------------


def test_a_tone_lies_in_its_mel_band(tones):
    loaded = load(tones, test_files="2_*")
    spec = loaded.spec
    assert (spec.kind, spec.shape, spec.value_range) == ("audio", (64, 64, 1), (0.0, 1.0))
    bands = {}
    for split in ("train", "test"):
        x = loaded.arrays(split)["x"]
        assert x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
        bands[split] = x[:, 8:-8, :, 0].mean(axis=1).argmax(axis=1)
    mel = 1127 * np.log1p(np.array([20.0, RATE / 2, *TONES]) / 700)
    expected = (mel[2:] - mel[0]) / (mel[1] - mel[0]) * 65 - 1
    found = np.array([*bands["train"], *bands["test"]])
    np.testing.assert_allclose(found, expected.repeat(2), atol=1)


def test_levels_are_relative_to_the_training_sounds(tones):
    loaded = load(tones, test_files="?_1.wav")
    train, test = (loaded.arrays(split)["x"][..., 0] for split in ("train", "test"))
    assert train.max() == 1.0
    # The test tones have amplitude 0.5 and the training tones 0.4, which is 1.94 dB less.
    louder = 20 * np.log10(0.5 / 0.4) / 80
    heard = (train > 0.3) & (train < 1 - louder)
    np.testing.assert_allclose(test[heard], train[heard] + louder, atol=1e-3)
    assert test.max() == 1.0
    sounds = np.stack([0.4 * tone(hertz) / 0.5 for hertz in TONES])
    np.testing.assert_allclose(data.log_mel(sounds, loaded.spec)[..., 0], train, atol=5e-3)


@pytest.mark.parametrize("seconds, frames, mels", [(0.5, 32, 40), (0.1, 10, 20)])
def test_shapes_of_spectrograms(tones, seconds, frames, mels):
    loaded = load(tones, seconds=seconds, frames=frames, mels=mels)
    assert loaded.spec.shape == (frames, mels, 1)
    x = loaded.arrays("train")["x"]
    sound = data.waveform(x, loaded.spec)
    assert sound.shape == (len(x), round(seconds * RATE)) and sound.dtype == np.float32
    assert data.log_mel(sound, loaded.spec).shape == x.shape


def test_frames_are_centred_on_their_hops(tmp_path):
    sounds = np.zeros((3, RATE))
    for i, place in enumerate((0.1, 0.5, 0.9)):
        sounds[i, round(place * RATE)] = 1.0
        write(tmp_path / f"{i}.wav", sounds[i])
    spec = load(tmp_path, frames=100, mels=32).spec
    loudest = data.log_mel(sounds, spec)[..., 0].mean(axis=2).argmax(axis=1)
    np.testing.assert_allclose(loudest, [10, 50, 90], atol=1)


@pytest.fixture(scope="module")
def chirps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chirps")
    for i in range(2):
        write(folder / f"{i}.wav", chirp() * (1 - 0.1 * i))
    return load(folder)


def test_sounds_of_spectrograms(chirps):
    sounds = np.stack([*map(tone, TONES), chirp()]).astype(np.float32)
    x = data.log_mel(sounds, chirps.spec)
    back = data.waveform(x, chirps.spec)
    for sound, hertz in zip(back, TONES, strict=False):
        assert dominant(sound) == pytest.approx(hertz, abs=20)  # narrower than a mel band
    # The sound has the spectrogram it was made from: within 1 dB near the greatest level, and
    # within 5 dB down to 40 dB below it, at the edges of a tone's band.
    error = 80 * np.abs(data.log_mel(back, chirps.spec) - x)
    assert error[x > 0.75].mean() < 1 and error[x > 0.5].mean() < 5
    spectrum, other = (np.abs(np.fft.rfft(each.reshape(4, -1, 100))) for each in (sounds, back))
    convergence = np.linalg.norm(spectrum - other) / np.linalg.norm(spectrum)
    assert convergence < 0.35


def test_phases_of_known_magnitudes(chirps):
    parameters = chirps.spec.audio
    sound = chirp()[None].astype(np.float32)

    def magnitudes(sound):
        return np.abs(spectrograms._spectrum(spectrograms._padded(sound, parameters), parameters))

    wanted = magnitudes(sound)
    found = magnitudes(spectrograms._sound_of(wanted, parameters).numpy())
    assert np.linalg.norm(found - wanted) / np.linalg.norm(wanted) < 0.1
    # With the true phases the inverse is exact.
    padded = spectrograms._padded(sound, parameters)
    back = spectrograms._overlapped(spectrograms._spectrum(padded, parameters), parameters)
    np.testing.assert_allclose(back, padded, atol=1e-5)


def test_magnitudes_are_nearly_the_non_negative_least_squares(chirps):
    from scipy.optimize import nnls

    matrix = spectrograms._mel_matrix(chirps.spec.audio, 64).numpy()
    bands = (np.random.RandomState(0).rand(4, 129) ** 8 @ matrix).astype(np.float32)
    found = spectrograms._linear(bands[None], chirps.spec.audio).numpy()[0]
    assert found.min() >= 0
    for magnitude, band in zip(found, bands, strict=True):
        _, least = nnls(matrix.T.astype(float), band)
        residual = np.linalg.norm(magnitude @ matrix - band)
        assert residual <= least + 0.02 * np.linalg.norm(band)


def test_a_sound_does_not_depend_on_its_batch(chirps, monkeypatch):
    x = chirps.arrays("train")["x"]
    several = np.concatenate([x, x[:, ::-1], x])
    together = data.waveform(several, chirps.spec)
    np.testing.assert_array_equal(together, data.waveform(several, chirps.spec))
    np.testing.assert_allclose(together[0], data.waveform(x, chirps.spec)[0], atol=1e-3)
    monkeypatch.setattr(spectrograms, "CHUNK", 2)
    np.testing.assert_allclose(together, data.waveform(several, chirps.spec), atol=1e-3)
    assert data.waveform(x[:0], chirps.spec).shape == (0, RATE)


def test_specs_of_audio_survive_json(chirps):
    read = data.Spec(**json.loads(json.dumps(dataclasses.asdict(chirps.spec), allow_nan=False)))
    assert read == chirps.spec
    x = chirps.arrays("train")["x"]
    np.testing.assert_array_equal(data.waveform(x, read), data.waveform(x, chirps.spec))


def test_spoken_digits(shared_data):
    digits = load(shared_data / "fsdd", test_files="*_[0-4].wav")
    assert (digits.size("train"), digits.size("test")) == (2700, 300)
    assert digits.spec.num_classes == 10 and digits.spec.shape == (64, 64, 1)
    np.testing.assert_array_equal(np.bincount(digits.arrays("test")["label"]), [30] * 10)
    x = digits.arrays("test", limit=8)["x"]
    error = np.abs(data.log_mel(data.waveform(x, digits.spec), digits.spec) - x)
    assert error.mean() < 0.01


# ---- errors -------------------------------------------------------------------------------------


def test_errors_of_options(tones, chirps):
    for option in ("rate", "frames", "mels"):
        refused(f"{option} of audio", "got 0", call=load)(tones, **{option: 0})
    refused("seconds of audio", "got 0", call=load)(tones, seconds=0)
    refused("seconds of audio", "got inf", call=load)(tones, seconds=float("inf"))
    refused("representation", "'log_mel' or 'waveform'", "'mfcc'", call=load)(
        tones, representation="mfcc"
    )
    refused("frames must divide the 8000", "frames=63", call=load)(tones, frames=63)
    refused("frames must divide", call=load)(tones, frames=16000)
    refused("mels=100 are too many", "129", call=load)(tones, mels=100)
    refused("rate of spectrograms", "above 40", call=load)(tones, rate=40, frames=4)
    refused("test_files='*.mp3'", "0 of 6", call=load)(tones, test_files="*.mp3")
    refused("test_files='*'", "6 of 6", call=load)(tones, test_files="*")
    refused("test_fraction", "got 2", call=load)(tones, test_fraction=2)
    refused("has no option 'hop'", "rate, seconds", call=load)(tones, hop=3)
    refused("no path", "audio:FOLDER")("audio:")

    refused("(n, 64, 64, 1)", "(2, 3)", call=data.waveform)(np.zeros((2, 3)), chirps.spec)
    refused("(n, 8000)", "(2, 3)", call=data.log_mel)(np.zeros((2, 3)), chirps.spec)
    for call in (data.waveform, data.log_mel):
        refused("digits holds no audio", "'image'", call=call)(np.zeros(3), data.spec("digits"))
    spec = load(tones, representation="waveform").spec
    refused("holds waveforms", call=data.log_mel)(np.zeros((1, RATE)), spec)


def test_errors_of_folders(tmp_path):
    refused("no such folder", "none", call=load)(tmp_path / "none")
    refused(tmp_path, "is empty", call=load)(tmp_path)
    write(tmp_path / "0.wav", tone(440))
    refused(tmp_path, "one example", call=load)(tmp_path)
    (tmp_path / "class").mkdir()
    refused("0.wav", "class folders", call=load)(tmp_path)
    (tmp_path / "0.wav").unlink()
    refused(tmp_path / "class", "no files", call=load)(tmp_path)
    (tmp_path / "class" / "deeper").mkdir()
    refused(tmp_path / "class", "folder deeper", call=load)(tmp_path)


def test_errors_of_files(tmp_path):
    good = write(tmp_path / "0.wav", tone(440)).read_bytes()
    (tmp_path / ".hidden").write_bytes(b"no sound")
    bad = tmp_path / "1.wav"
    for content in (
        b"",
        b"no sound at all",
        good[:3],
        good[:20],
        good[:40],
        good[:-1000],
        good[:44] + b"\0" * 7,
        good.replace(b"WAVE", b"EVAW"),
        good[:20] + b"\7\0" + good[22:],  # mu-law
        good[:22] + b"\0\0" + good[24:],  # no channels
    ):
        bad.write_bytes(content)
        refused(bad, "not a readable WAV file", "remove it", call=load)(tmp_path)
    bad.write_bytes(good[:24] + b"\0\0\0\0" + good[28:])
    refused(bad, call=load)(tmp_path)
    write(bad, np.zeros(0))
    refused(bad, "holds no samples", call=load)(tmp_path)
    write(bad, tone(440, level=1.5), dtype=np.float32)
    refused(bad, "outside [-1, 1]", call=load)(tmp_path)
    write(bad, np.array([0.0, np.nan]), dtype=np.float32)
    refused(bad, "or NaN", call=load)(tmp_path)
    wavfile.write(bad, RATE, np.zeros(10, np.int64))
    refused(bad, "64 bits", call=load)(tmp_path)
    # Other chunks are ignored.
    extra = good + b"LIST\4\0\0\0INFO"
    bad.write_bytes(extra[:4] + struct.pack("<I", len(extra) - 8) + extra[8:])
    assert load(tmp_path).size("test") == 1


def test_a_trained_model_is_measured_on_recordings_cut_as_its_own(tmp_path):
    for digit in range(10):
        for take in (0, 5):
            write(tmp_path / str(digit) / f"{digit}_me_{take}.wav", tone(200.0))
    trained = runs.open("conv_vae_spoken_digits")
    dataset = trained.dataset(f"audio:{tmp_path}")
    assert dataset.spec.audio["samples"] == trained.spec.audio["samples"] == 0.64 * 8000
    assert dataset.size("test") == dataset.size("train") == 10  # takes 0 to 4, and the others
