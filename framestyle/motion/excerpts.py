"""What stands for a whole clip where there is no time for all of it: moments, and excerpts, of its longest shots."""

from __future__ import annotations

from collections.abc import Sequence

from framestyle.motion.shots import Shot

MOST_EXCERPTS = 3


def moments(shots: Sequence[Shot], count: int) -> list[int]:
    """Up to `count` frames by index, in order: each of the longest shots once, long ones again, evenly."""
    chosen = _longest(shots, count)
    shares = dict.fromkeys(chosen, 1)
    for _ in range(min(count, sum(shot.frames for shot in shots)) - len(chosen)):
        open_to_more = [shot for shot in chosen if shares[shot] < shot.frames]
        if not open_to_more:
            break
        shares[max(open_to_more, key=lambda shot: shot.frames / (shares[shot] + 1))] += 1
    return [
        shot.first + (2 * number + 1) * shot.frames // (2 * share)
        for shot, share in shares.items()
        for number in range(share)
    ]


def excerpts(shots: Sequence[Shot], frames: int) -> list[Shot]:
    """The middles of the longest shots, in order, about `frames` in all; the whole clip where it is no longer."""
    if sum(shot.frames for shot in shots) <= frames:
        return list(shots)
    chosen = _longest(shots, MOST_EXCERPTS)
    lengths: dict[Shot, int] = {}
    left = frames
    # The shortest first: what it cannot take is for the others.
    for number, shot in enumerate(sorted(chosen, key=lambda shot: shot.frames)):
        lengths[shot] = min(shot.frames, max(1, left // (len(chosen) - number)))
        left -= lengths[shot]
    return [_middle(shot, lengths[shot]) for shot in chosen]


def _longest(shots: Sequence[Shot], count: int) -> list[Shot]:
    """In the clip's order; the earlier of equals."""
    longest = sorted(shots, key=lambda shot: shot.frames, reverse=True)[:count]
    return sorted(longest, key=lambda shot: shot.first)


def _middle(shot: Shot, frames: int) -> Shot:
    first = shot.first + (shot.frames - frames) // 2
    return Shot(first, first + frames)
