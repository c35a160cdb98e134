"""Notes: piano-rolls that sound as their file says, and every error message."""

import json

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
    """The MIDI numbers that sound in each step of each example."""
    notes = np.array(dataset.spec.channels).astype(int)
    return [[notes[step > 0].tolist() for step in x] for x in dataset.arrays(split)["x"]]


FIRST = [[60, 64], [60, 64, 67], [], 62, [-1, 59], [60, 60], [72]]
SECOND = [[48], [48, 55], [50]]


def test_windows_sound_as_the_file_says(tmp_path):
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
    # Whole pieces are held out, always the same for a seed.
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
    for note in (128, -2, 60.5, 60.0, "60", None, True, [60]):
        write(path, {"train": [SECOND, [[60], [61, note]]], "test": [SECOND]})
        refused(path, "train, piece 1, step 1", repr(note), "0 to 127", call=load)(path)
    for content, *words in (
        ([], "one piece or more"),
        ({"train": []}, "train", "one piece or more"),
        ([SECOND, []], "piece 1", "one step or more"),
        ([SECOND, 3], "piece 1", "one step or more"),
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
    refused(array, "piece 1, step 2", "200 is no MIDI number", call=load)(array)
    np.savez(array, x=np.zeros((2, 3, 2), np.float32))
    refused(array, "float32", "(2, 3, 2)", call=load)(array)
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
    refused("takes no option 'voices'", "length, stride, low, high", call=load)(path, voices=4)
    refused("no path", "notes:FILE")("notes:")
    refused("none.json", "cannot read", call=load)(tmp_path / "none.json")
    refused("none.npz", "cannot read", call=load)(tmp_path / "none.npz")
    refused("song.mid", ".json", ".npz", call=load)(tmp_path / "song.mid")
    path.write_text('{"train": [')
    refused(path, "cannot read", call=load)(path)
