"""Several networks on one pair, each from its own first weights, and what they agree on.

Where the source leaves an edge open, networks that began elsewhere put it elsewhere: their mean errs less than they do
by themselves (docs/method.md). Each costs as much as one alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from robself.config import RobSelfConfig
from robself.errors import ConfigError
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import Progress
from robself.pair import Pair, Result

SUMS = ("iterations", "seconds")
MEANS = ("loss_before", "loss_after", "consistency_before", "consistency_after")


def member_seeds(seed: int, members: int) -> range:
    """Of the networks; ensembles of different seeds share none.

    Raises:
        ConfigError: fewer than one member.
    """
    if members < 1:
        raise ConfigError(f"members: {members}, expected at least 1")
    return range(seed * members, (seed + 1) * members)


def keyframe_by_members(
    make_resolver: Callable[[RobSelfConfig], OnlineSuperResolver],
    config: RobSelfConfig,
    members: int,
    pair: Pair,
    budget: Budget = Budget(),
    on_progress: Callable[[Progress], None] | None = None,
) -> Result:
    """A cold keyframe of each member, one after the other, and what they agree on; one member is by itself.

    Args:
        config: of all; its seed decides the members' (`member_seeds`).
        budget: iterations are each member's; the seconds are for all, shared evenly, and what one leaves is for
            the others.

    Raises:
        ConfigError: fewer than one member, a seed out of range, or a budget without one iteration.
    """
    begin, results = time.monotonic(), []
    for index, seed in enumerate(member_seeds(config.seed, members)):
        seconds = budget.seconds
        if seconds is not None:
            left = seconds - (time.monotonic() - begin)
            if results and left <= 0:  # those there are have used up the time
                break
            seconds = left / (members - index)
        done = sum(result.info["iterations"] for result in results)
        result = make_resolver(config.with_seed(seed)).keyframe(
            pair, Budget(budget.iterations, seconds), on_progress=_share(on_progress, index, members, done)
        )
        results.append(result)
    return results[0] if members == 1 else together(results)


def together(results: Sequence[Result]) -> Result:
    """The mean of the results, but of those that fell back only if all did.

    Its info is the first one's, with the number of `members` whose mean it is and their `member_seeds`; iterations and
    seconds are of all results, losses and consistencies the members' means, the memory is the most that one took.
    """
    members = [result for result in results if not result.info["fallback"]] or list(results)
    first = members[0]
    told = {name: sum(result.info[name] for result in results) for name in SUMS}
    told |= {name: float(np.mean([member.info[name] for member in members])) for name in MEANS}
    told["memory_peak_mb"] = max(result.info["memory_peak_mb"] or 0 for result in results) or None
    told["unexplained"] = any(member.info["unexplained"] for member in members)
    return Result(
        sr=_mean([member.sr for member in members]),
        translated=_mean([member.translated for member in members]),
        displacement=_mean([member.displacement for member in members]),
        valid=first.valid,
        pair=first.pair,
        info=first.info | told | {"members": len(members), "member_seeds": [m.info["seed"] for m in members]},
    )


def _mean(images: Sequence[np.ndarray]) -> np.ndarray:
    """NaN where they have holes, which are the source's: the same for all."""
    return np.mean(images, axis=0, dtype=np.float64).astype(np.float32)


def _share(
    on_progress: Callable[[Progress], None] | None, index: int, members: int, done: int
) -> Callable[[Progress], None] | None:
    """Tells a member's progress as that of all."""
    if on_progress is None:
        return None
    return lambda now: on_progress(Progress(done + now.iteration, (index + now.fraction) / members, now.loss))
