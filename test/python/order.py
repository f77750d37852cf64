"""The order of rows, a second time: plain Python, no packages, written from docs/order.md.

python3 order.py < cases.json   prints the cases with the order this file computes.
"""
import json
import sys

M32 = 0xFFFFFFFF


def seed_words(key):
    """numpy.random.SeedSequence(key).generate_state(4) for a key of four words or more."""
    const = 0x43B0D7E5

    def absorb(word):
        nonlocal const
        word ^= const
        const = const * 0x931E8875 & M32
        word = word * const & M32
        return word ^ word >> 16

    def mix(x, y):
        z = (0xCA01F9DD * x - 0x4973F715 * y) & M32
        return z ^ z >> 16

    pool = [absorb(word) for word in key[:4]]
    for src in range(4):
        for dst in range(4):
            if src != dst:
                pool[dst] = mix(pool[dst], absorb(pool[src]))
    for word in key[4:]:
        for dst in range(4):
            pool[dst] = mix(pool[dst], absorb(word))
    const, out = 0x8B51F9DD, []
    for word in pool:
        word ^= const
        const = const * 0x58F38DED & M32
        word = word * const & M32
        out.append(word ^ word >> 16)
    return out


def rotl(x, k):
    return (x << k | x >> 32 - k) & M32


def permutation(key, length):
    """Fisher-Yates from the last place down with xoshiro128** 1.1."""
    s = seed_words(key)
    out = list(range(length))
    for i in range(length - 1, 0, -1):
        while True:
            draw = rotl(s[1] * 5 & M32, 7) * 9 & M32
            t = s[1] << 9 & M32
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = rotl(s[3], 11)
            j = draw >> 32 - i.bit_length()
            if j <= i:
                break
        out[i], out[j] = out[j], out[i]
    return out


FRAGMENTS, WINDOW = 1, 2


def order(segments, seed, epoch, lanes, window_rows):
    """Row numbers (in manifest order) at positions 0, 1, 2 …; segments are lists of fragment row counts."""
    result, before = [], 0
    for segment, rows in enumerate(segments):
        def key(purpose, lane=0, window=0):
            return [purpose, seed & M32, seed >> 32, epoch, segment, lane, window]

        starts = [before + sum(rows[:i]) for i in range(len(rows))]
        space = []
        for f in permutation(key(FRAGMENTS), len(rows)) if window_rows else range(len(rows)):
            space += range(starts[f], starts[f] + rows[f])
        total = len(space)
        by_lane = []
        for lane in range(lanes):
            first = lane * (total // lanes) + min(lane, total % lanes)
            own = space[first:first + total // lanes + (lane < total % lanes)]
            end = -(-window_rows * (lane + 1) // lanes)
            at = window = 0
            while window_rows and at < len(own):
                part = own[at:end]
                own[at:end] = [part[i] for i in permutation(key(WINDOW, lane, window), len(part))]
                at, end, window = end, end + window_rows, window + 1
            by_lane.append(own)
        result += [by_lane[g % lanes][g // lanes] for g in range(total)]
        before += total
    return result


if __name__ == "__main__":
    cases = json.load(sys.stdin)
    for case in cases:
        case["order"] = order(case["segments"], case["seed"], case["epoch"], case["lanes"], case["windowRows"])
    json.dump(cases, sys.stdout)
