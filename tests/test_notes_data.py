"""Notes: piano-rolls equal the notes of their files, and every error message."""

import json
import sys

import numpy as np
import pytest
from refusal import refused

from keras_gen import data


def write(path, value):
    path.write_text(json.dumps(value))
    return path


def load(path, **options):
    return data.load(f"notes:{path}", **options)


def sounding(dataset, split):
    """Returns the MIDI numbers that sound in each step of each example."""
    notes = np.array(dataset.spec.channels).astype(int)
    return [[notes[step > 0].tolist() for step in x] for x in dataset.arrays(split)["x"]]


FIRST = [[60, 64], [60, 64, 67], [], 62, [-1, 59], [60, 60], [72]]
SECOND = [[48], [48, 55], [50]]


def test_windows_have_the_notes_of_the_file(tmp_path):
    path = write(tmp_path / "song.json", {"train": [FIRST, SECOND], "test": [SECOND]})
    song = load(path, length=3)
    assert (song.spec.name, song.spec.kind) == ("song", "sequence")
    assert song.spec.shape == (3, 25) and song.spec.value_range == (0.0, 1.0)
    assert song.spec.channels == tuple(map(str, range(48, 73)))
    assert sounding(song, "train") == [
        [[60, 64], [60, 64, 67], []],
        [[62], [59], [60]],
        [[48], [48, 55], [50]],
    ]
    assert sounding(song, "test") == [[[48], [48, 55], [50]]]
    x = song.arrays("train")["x"]
    assert x.dtype == np.float32 and set(np.unique(x)) == {0.0, 1.0}
    dense = load(path, length=3, stride=1, low=40, high=80)
    assert dense.spec.shape == (3, 41) and dense.size("train") == 5 + 1
    # Pieces shorter than a window are left out.
    one = write(tmp_path / "one.json", {"train": [FIRST, SECOND], "test": [FIRST]})
    assert load(one, length=4).size("train") == 1


def test_parts_of_a_file(tmp_path):
    low, middle, high = ([[[n]] * 4] for n in (40, 50, 60))
    path = tmp_path / "parts.json"
    write(path, {"train": low, "valid": middle, "test": high})
    assert sounding(load(path, length=4), "test") == [[[60]] * 4]
    assert load(path, length=4).spec.channels[-1] == "60"
    write(path, {"train": low, "valid": middle})
    assert sounding(load(path, length=4), "test") == [[[50]] * 4]
    # Whole pieces are held out, and the same ones for the same seed.
    pieces = [[[n]] * 8 for n in range(40, 60)]
    for content in (pieces, {"train": pieces}):
        write(path, content)
        held_out = [sounding(load(path, length=4, seed=s), "test") for s in (0, 0, 1)]
        assert held_out[0] == held_out[1] != held_out[2] and len(held_out[0]) == 4
        train = {str(x) for x in sounding(load(path, length=4), "train")}
        assert len(train) == 18 and not train & set(map(str, held_out[0]))


@pytest.mark.parametrize("dtype", [np.int8, np.int64, bool])
def test_arrays(tmp_path, dtype):
    voices = np.array([[[60, 64], [62, -1], [-1, -1]], [[60, 67], [59, 67], [55, 55]]])
    steps = [[[60, 64], [62], []], [[60, 67], [59, 67], [55]]]
    pieces = voices.astype(dtype)
    if dtype is bool:
        pieces = np.zeros((2, 3, 128), bool)
        for i, piece in enumerate(steps):
            for t, step in enumerate(piece):
                pieces[i, t, step] = True
    path = tmp_path / "voices.npz"
    np.savez(path, x_train=pieces, x_test=pieces[:1])
    loaded = load(path, length=3)
    assert sounding(loaded, "train") == steps and sounding(loaded, "test") == steps[:1]
    np.savez(path, x=pieces)
    one = load(path, length=3, test_fraction=0.5)
    assert sorted(sounding(one, "train") + sounding(one, "test")) == sorted(steps)


def test_errors_of_pieces(tmp_path):
    path = tmp_path / "bad.json"
    for note in (128, -2, 60.5, 128.0, float("inf"), "60", True, [60]):
        write(path, {"train": [SECOND, [[60], [61, note]]], "test": [SECOND]})
        refused(path, "train, piece 1, step 1", repr(note), "0 to 127", call=load)(path)
    for content, *words in (
        ([], "at least one piece"),
        ({"train": []}, "train", "at least one piece"),
        ([SECOND, []], "piece 1", "at least one step"),
        ([SECOND, 3], "piece 1", "at least one step"),
        ([[[]], [[-1]]], "no notes, only silence"),
        ({"song": [SECOND]}, "'song'", "'train'"),
        ({"test": [SECOND]}, "'test'", "'train'"),
        ({}, "nothing"),
        (3, "int"),
        ([SECOND], "one example"),
    ):
        refused(path, *words, call=load)(write(path, content), length=1)
    array = tmp_path / "bad.npz"
    wrong = np.full((2, 3, 2), 60)
    wrong[1, 2, 0] = 200
    np.savez(array, x=wrong)
    refused(array, "piece 1, step 2", "must be a MIDI number", "got 200", call=load)(array)
    np.savez(array, x=np.full((2, 3, 2), 60.5, np.float32))
    refused(array, "piece 0, step 0", "got 60.5", call=load)(array)
    np.savez(array, x=np.full((2, 3, 2), np.inf))
    refused(array, "got inf", call=load)(array)
    np.savez(array, x=np.full((2, 3, 2), 60j))
    refused(array, "complex128", "(2, 3, 2)", call=load)(array)
    np.savez(array, x=np.zeros((2, 3, 88), bool))
    refused(array, "128 pitches", "(2, 3, 88)", call=load)(array)
    np.savez(array, notes=wrong, more=wrong)
    refused(array, "'notes', 'more'", "x_train", call=load)(array)


def test_errors_of_options_and_files(tmp_path):
    path = write(tmp_path / "song.json", {"train": [FIRST], "test": [SECOND]})
    refused(path, "no training piece", "length=8", "longest has 7", call=load)(path, length=8)
    refused(path, "no test piece", "longest has 3", call=load)(path, length=4)
    refused(path, "from 48 to 72", "low=50", "widen", call=load)(path, length=2, low=50)
    refused("high", "0 to 127", "got 128", call=load)(path, length=2, high=128)
    refused("low", "got 1.5", call=load)(path, length=2, low=1.5)
    refused("length of song.json", "got 0", call=load)(path, length=0)
    refused("stride of song.json", "got 0", call=load)(path, stride=0)
    refused("test_fraction", "got 1", call=load)(path, test_fraction=1)
    refused("has no option 'voices'", "length, stride, low, high", call=load)(path, voices=4)
    refused("steps_per_beat of song.json", "got 0", call=load)(path, steps_per_beat=0)
    refused("no path", "notes:FILE")("notes:")
    refused("none.json", "cannot read", call=load)(tmp_path / "none.json")
    refused("none.npz", "cannot read", call=load)(tmp_path / "none.npz")
    refused("song.xml", ".json", ".npz", ".mid", call=load)(tmp_path / "song.xml")
    path.write_text('{"train": [')
    refused(path, "cannot read", call=load)(path)


# ---- numbers and rests as they are written elsewhere --------------------------------------------


@pytest.mark.parametrize("form", ["json", "npz"])
@pytest.mark.parametrize("rest", [-1, -1.0, 0, 0.0, None, float("nan")])
def test_whole_floats_are_numbers_and_rests_are_silent(tmp_path, form, rest):
    steps = [[73.0, 60], [rest, 62.0], [rest, rest], [55, 73.0]]
    path = tmp_path / f"chorales.{form}"
    if form == "json":
        write(path, {"train": [steps, steps[::-1]], "test": [steps]})
    else:
        numbers = np.array(steps, float)
        np.savez(path, x_train=np.stack([numbers, numbers[::-1]]), x_test=numbers[None])
    expected = [[60, 73], [62], [], [55, 73]]
    chorales = load(path, length=4)
    assert sounding(chorales, "train") == [expected, expected[::-1]]
    assert sounding(chorales, "test") == [expected]


@pytest.mark.parametrize(
    "steps",
    [
        [[60, 0], [62, -1]],  # a rest is marked otherwise
        [[60, 0], [62, None]],
        [[60, 0], [62, 5]],  # a note below the range of a piano
        [[60, 0], [62]],  # the number of voices varies
    ],
)
def test_zero_is_a_note_unless_it_can_only_be_a_rest(tmp_path, steps):
    path = write(tmp_path / "low.json", {"train": [steps], "test": [steps]})
    assert sounding(load(path, length=2), "train")[0][0] == [0, 60]


def test_zero_is_a_rest_in_a_melody(tmp_path):
    path = write(tmp_path / "melody.json", {"train": [[60, 0, 62, 0]], "test": [[61, 0, 0, 0]]})
    assert sounding(load(path, length=4), "train") == [[[60], [], [62], []]]


# ---- MIDI files ---------------------------------------------------------------------------------


def midi(path, *tracks, ticks=96):
    """Writes a MIDI file of tracks of (tick, type, note, further fields)."""
    mido = pytest.importorskip("mido")
    file = mido.MidiFile(ticks_per_beat=ticks)
    for events in tracks:
        track = mido.MidiTrack([mido.MetaMessage("track_name", name="a track")])
        last = 0
        for tick, kind, note, fields in events:
            track.append(mido.Message(kind, note=note, time=tick - last, **fields))
            last = tick
        file.tracks.append(track)
    file.save(path)
    return path


def held(note, start, end, **fields):
    return [(start, "note_on", note, fields), (end, "note_off", note, fields)]


def test_notes_of_a_midi_file(tmp_path):
    # With 4 steps in a beat of 96 ticks, a step is 24 ticks.
    first = [*held(60, 0, 48), *held(62, 48, 72), *held(64, 74, 75), *held(64, 96, 120)]
    second = [
        *held(60, 0, 24, channel=1),
        (24, "note_on", 48, {}),
        (72, "note_on", 48, {"velocity": 0}),
        *held(35, 72, 96, channel=9),  # a drum
        (168, "note_on", 67, {}),  # without an end
        (192, "note_off", 40, {}),
    ]
    path = midi(tmp_path / "song.mid", first, second)
    song = load(path, length=4, test_fraction=0.5)
    assert (song.spec.name, song.spec.kind) == ("song", "sequence")
    assert sounding(song, "train") == [[[60], [48, 60], [48, 62], [64]]]
    assert sounding(song, "test") == [[[64], [], [], [67]]]
    coarse = load(path, length=1, test_fraction=0.5, steps_per_beat=1)
    assert sounding(coarse, "train") == [[[48, 60]]]
    fine = load(midi(tmp_path / "fine.mid", held(60, 0, 96), ticks=480), length=1, stride=1,
                test_fraction=0.5, steps_per_beat=10)  # fmt: skip
    assert fine.size("train") + fine.size("test") == 2


def test_a_folder_of_midi_files(tmp_path):
    for note in range(60, 70):
        midi(tmp_path / f"{note}.mid", held(note, 0, 96))
    (tmp_path / ".hidden").write_bytes(b"")
    songs = load(tmp_path, length=4, test_fraction=0.2)
    assert (songs.size("train"), songs.size("test")) == (8, 2)
    both = [example for split in ("train", "test") for example in sounding(songs, split)]
    assert sorted(both) == [[[note]] * 4 for note in range(60, 70)]


def test_errors_of_midi_files(tmp_path, monkeypatch):
    path = midi(tmp_path / "song.mid", held(35, 0, 96, channel=9))
    refused(path, "no notes, only silence", call=load)(path)
    whole = midi(path, held(60, 0, 96)).read_bytes()
    for content in (b"", b"no music", whole[:30]):
        path.write_bytes(content)
        refused(path, "is not a readable MIDI file", call=load)(path)
    refused("none.mid", "is not a readable MIDI file", call=load)(tmp_path / "none.mid")
    (tmp_path / "read.me").write_text("")
    refused(tmp_path, "has read.me", ".mid files and nothing else", call=load)(tmp_path)
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no files", call=load)(tmp_path / "empty")
    monkeypatch.setitem(sys.modules, "mido", None)
    refused(path, "needs the package mido", "pip install mido", call=load)(path)


def midi_file(path, *messages, ticks_per_beat=480):
    """A file of one track: (type, note, time since the message before)."""
    mido = pytest.importorskip("mido")
    file, track = mido.MidiFile(ticks_per_beat=ticks_per_beat), mido.MidiTrack()
    file.tracks.append(track)
    for kind, note, time in messages:
        track.append(mido.Message(kind, note=note, velocity=64, time=time))
    file.save(path)
    return path


def test_a_note_without_length_sounds_in_one_step(tmp_path):
    from keras_gen.data.sources import midi

    path = midi_file(
        tmp_path / "x.MID",
        ("note_on", 60, 120),
        ("note_off", 60, 0),
        ("note_on", 62, 0),
        ("note_off", 62, 480),
    )
    roll = midi.piano_roll(path, steps_per_beat=4)
    assert np.flatnonzero(roll[:, 60]).tolist() == [1]
    assert np.flatnonzero(roll[:, 62]).tolist() == [1, 2, 3, 4]
    long = midi_file(tmp_path / "long.mid", ("note_on", 60, 0), ("note_off", 60, 2**27))
    with pytest.raises(data.DataError, match="more than the limit"):
        midi.piano_roll(long, steps_per_beat=480)
    content = bytearray(path.read_bytes())
    content[12:14] = b"\x00\x00"  # ticks in a beat
    path.write_bytes(content)
    with pytest.raises(data.DataError, match="is not a readable MIDI file"):
        midi.piano_roll(path, steps_per_beat=4)
