"""Exact and near duplicates of images, found by their hashes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.protocols.contents import alphabetical

_CANDIDATES = 1 << 16
"""Pairs compared at once; bounds the memory to about 8 MB."""

_TEXTS = 1 << 14
"""Hashes that are Python's strings at once."""

_MOST_PAIRS = 20_000_000
_MOST_BITS_OF_A_BAND = 32


def duplicate_pairs(hashes: pd.DataFrame, radius: int | None) -> pd.DataFrame:
    """Return all pairs of images that are equal or nearly equal.

    Args:
        hashes: the columns ``sample_id``, ``sha256`` and ``perceptual_hash`` (hexadecimal digits); a null
            hash is not compared.
        radius: perceptual hashes that differ in at most this number of bits are near duplicates; None looks for
            equal files only.

    Returns:
        ``sample_id_1, sample_id_2, distance``, each pair once, ``sample_id_1`` first in the alphabet, sorted;
        the distance of equal files is 0.

    Raises:
        ParameterError: if the radius is negative.
        DataError: if perceptual hashes have different lengths, or more than 20 million pairs are found.
    """
    if radius is not None and radius < 0:
        raise ParameterError(f"near_duplicate_bits is {radius}; give a number of bits from 0 up, or null for none")
    names, sha256, digits = (hashes[name] for name in ("sample_id", "sha256", "perceptual_hash"))
    del hashes  # its columns go one by one
    order = alphabetical(names)
    found = [_equal(sha256.take(order))]
    if radius is not None:
        known = digits.notna().to_numpy()[order]
        words = _words(digits, order[known])
        del sha256, digits
        found.append(_near(words, np.flatnonzero(known), radius))
    pairs = pd.DataFrame(np.concatenate(found), columns=["first", "second", "distance"])
    pairs = pairs.sort_values(["first", "second", "distance"]).drop_duplicates(["first", "second"])
    texts = names.astype(str).array
    return pd.DataFrame(
        {
            "sample_id_1": texts.take(order[pairs["first"]]),
            "sample_id_2": texts.take(order[pairs["second"]]),
            "distance": pairs["distance"].to_numpy(),
        }
    )


def _equal(values: pd.Series) -> np.ndarray:
    """Return positions of equal values and distance 0, (P, 3)."""
    known = np.flatnonzero(values.notna())
    numbers = pd.api.types.is_integer_dtype(values)  # else words, which are numbered
    return _pairs_within(known, values.to_numpy()[known] if numbers else pd.factorize(values.iloc[known])[0], "files")


def _near(words: np.ndarray, known: np.ndarray, radius: int) -> np.ndarray:
    """Return positions and distances of hashes within the radius, (P, 3), the smaller position first.

    Args:
        words: a hash each, uint64, (N, W).
        known: their positions, ascending, (N,).
        radius: in bits.
    """
    if not len(words):
        return np.zeros((0, 3), np.int64)
    order = np.lexsort(words.T)
    differs = np.ones(len(words), bool)
    differs[1:] = np.logical_or.reduce([word[order[1:]] != word[order[:-1]] for word in words.T])
    distinct = words[order[differs]]
    start = np.flatnonzero(differs)
    count = np.diff(start, append=len(order))
    members = known[order]
    del order
    found = [_pairs_within(members, np.cumsum(differs), "perceptual hashes")]
    # equal hashes are compared once: many blank crops would otherwise be compared with each other
    total = len(found[0])
    for first, second, distance in _near_words(distinct, radius):
        sizes = count[first] * count[second]
        total = _bounded(total + int(sizes.sum()), "perceptual hashes")
        pair = np.repeat(np.arange(len(first)), sizes)
        step = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        width = count[second][pair]
        one = members[start[first][pair] + step // width]
        other = members[start[second][pair] + step % width]
        found.append(np.stack([np.minimum(one, other), np.maximum(one, other), distance[pair]], axis=1))
    return np.concatenate(found)


def _words(digits: pd.Series, order: np.ndarray) -> np.ndarray:
    """Return the known hashes, in an order, as whole 64-bit words, (N, W), padded with zeros."""
    lengths = set(digits.astype(str).str.len().dropna().unique().astype(int).tolist()) or {16}
    if len(lengths) > 1:
        raise DataError(
            f"perceptual hashes have {min(lengths)} to {max(lengths)} digits; they come from different versions: align "
            "the faces again"
        )
    width = -(-lengths.pop() // 16) * 16
    place = np.full(len(digits), -1)
    place[order] = np.arange(len(order))
    words = np.empty((len(order), width // 16), np.uint64)
    for start in range(0, len(digits), _TEXTS):
        texts = digits.iloc[start : start + _TEXTS].dropna()
        content = bytes.fromhex("".join(text.ljust(width, "0") for text in texts))
        here = place[start : start + _TEXTS]
        words[here[here >= 0]] = np.frombuffer(content, ">u8").reshape(-1, width // 16)
    return words


def _near_words(words: np.ndarray, radius: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Find all pairs of different hashes within a radius, and miss none.

    The bits are dealt into bands, more than half the radius: two hashes within the radius differ in at most
    one bit of some band. Leaving out each bit of each band in turn, such a pair is equal in the rest, and
    sorting brings it together.

    Args:
        words: distinct hashes, uint64, (N, W).
        radius: in bits.

    Yields:
        First positions, second positions and distances; no pair twice.
    """
    bits = words.shape[1] * 64
    bands = max(radius // 2 + 1, -(-bits // _MOST_BITS_OF_A_BAND))
    seen = np.zeros(0, np.int64)
    for band in range(min(bands, bits)):
        # neighbouring bits are alike in faces; taking every n-th makes the bands about equally informative
        chosen = np.arange(band, bits, bands)
        key = np.zeros(len(words), np.uint32)
        for place, bit in enumerate(chosen):
            key |= ((words[:, bit // 64] >> np.uint64(63 - bit % 64)) & np.uint64(1)).astype(np.uint32) << place
        found, pending = np.zeros(0, np.int64), [np.zeros(0, np.int64)]
        for place in range(len(chosen)):
            for first, second in _within(key & ~np.uint32(1 << place), words, radius):
                pending.append(first * len(words) + second)
                # a pair alike in the whole band is met once for each of its bits
                if sum(map(len, pending)) > len(found) + _CANDIDATES:
                    found, pending = np.unique(np.concatenate([found, *pending])), []
                    _bounded(len(found), "perceptual hashes")
        new = np.setdiff1d(np.concatenate([found, *pending]), seen)
        seen = np.concatenate([seen, new])
        _bounded(len(seen), "perceptual hashes")
        first, second = np.divmod(new, len(words))
        yield first, second, np.bitwise_count(words[first] ^ words[second]).sum(axis=1, dtype=np.int64)


def _within(key: np.ndarray, words: np.ndarray, radius: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the pairs within the radius among hashes of equal key, the smaller position first."""
    order = np.argsort(key)
    order, later = _alike(order, key[order])
    for at, pair in _chunks(later):
        one, other = order[at], order[pair]
        close = np.bitwise_count(words[one] ^ words[other]).sum(axis=1, dtype=np.int64) <= radius
        one, other = one[close], other[close]
        yield np.minimum(one, other), np.maximum(one, other)


def _chunks(later: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield positions and the positions of their partners, some pairs at a time.

    Args:
        later: number of following positions that each position is paired with, (N,).
    """
    until = np.cumsum(later)
    start = 0
    while start < len(later):
        before = until[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(until, before + _CANDIDATES, side="right")))
        sizes = later[start:stop]
        at = np.repeat(np.arange(start, stop), sizes)
        step = np.arange(len(at)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        yield at, at + 1 + step
        start = stop


def _alike(members: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the members whose key another one has, and how many of its kind follow each; keys are in order."""
    same = key[1:] == key[:-1]
    some = np.append(same, False) | np.append(False, same)[: len(key)]
    members, key = members[some], key[some]
    last = np.flatnonzero(np.append(key[1:] != key[:-1], True)[: len(key)])
    return members, np.repeat(last, np.diff(last, prepend=-1)) - np.arange(len(key))


def _pairs_within(members: np.ndarray, key: np.ndarray, what: str) -> np.ndarray:
    """Return all pairs of equal key, (P, 3) with distance 0, the member that comes first first."""
    order = np.argsort(key, kind="stable")
    members, later = _alike(members[order], key[order])
    _bounded(int(later.sum()), what)
    parts = [np.stack([members[at], members[pair], np.zeros(len(at), np.int64)], axis=1) for at, pair in _chunks(later)]
    return np.concatenate([np.zeros((0, 3), np.int64), *parts])


def _bounded(pairs: int, what: str) -> int:
    if pairs > _MOST_PAIRS:
        raise DataError(
            f"more than {_MOST_PAIRS:,} pairs of images have equal or nearly equal {what}: many are blank, or are "
            "frames of one video. Take fewer frames of each sequence, lower protocol.near_duplicate_bits, or set it to "
            "null"
        )
    return pairs
