"""Pairs in, results out: what the node and `robself replay` both run."""

from __future__ import annotations

from collections.abc import Callable

from robself.errors import MemoryExhausted
from robself.keyframes import KeyframePolicy
from robself.online import Budget, OnlineSuperResolver
from robself.optimisation import Progress
from robself.pair import Pair, Result
from robself.pass_through import enlarged

CUT = "the scene changed: what was learned does not explain it"
IN_VAIN = "nothing that was learned has explained a pair for a while"
FIRST_PATIENCE = 60  # warm keyframes: two minutes of the node's


class Pipeline:
    """Decides keyframe or track for each pair and keeps the resolver's warmth honest.

    Args:
        first_budget: of cold keyframes. budget: of warm ones.
        on_reset: told why, when what was learned so far does not fit what comes.

    Attributes:
        translates: whether tracked pairs, too, are to have `Result.translated`.
    """

    translates = True

    def __init__(
        self,
        resolver: OnlineSuperResolver,
        policy: KeyframePolicy | None = None,
        first_budget: Budget = Budget(),
        budget: Budget = Budget(),
        on_reset: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.resolver = resolver
        self.policy = policy or KeyframePolicy()
        self.first_budget, self.budget = first_budget, budget
        self._on_reset = on_reset
        self._shape: tuple | None = None
        self._understood = False
        self._in_vain, self._patience = 0, FIRST_PATIENCE

    def reset(self) -> None:
        """Forget all earlier pairs."""
        self.resolver.reset()
        self.policy.reset()
        self._understood = False
        self._in_vain, self._patience = 0, FIRST_PATIENCE

    def start_anew(self, why: str) -> None:
        """Forget all earlier pairs, and tell why."""
        self.reset()
        self._on_reset(why)

    @property
    def seconds(self) -> float:
        """What the next pair may take; 0: as long as the schedule says."""
        return (self.budget if self.resolver.warm else self.first_budget).seconds or 0.0

    def process(
        self,
        pair: Pair,
        should_stop: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Result:
        """Super-resolve one pair; a change of either size starts cold.

        A tracked pair that is not trusted (`info["fallback"]`) is optimised after all: cold, for what the weights
        of a trusted keyframe explain so badly is another scene, which warm ones take longer to learn
        (docs/method.md); warm, if that keyframe was no better itself. Where every pair is a keyframe, the one
        after such a pair is cold. A pair for which there is not enough memory is only enlarged, and says so.

        Raises:
            Interrupted: `should_stop` said so.
        """
        try:
            return self._resolved(pair, should_stop, on_progress)
        except MemoryExhausted as error:
            return enlarged(pair, str(self.resolver.device), str(error))

    def _resolved(
        self,
        pair: Pair,
        should_stop: Callable[[], bool],
        on_progress: Callable[[Progress], None] | None,
    ) -> Result:
        shape = pair.source.shape, pair.guide.shape
        if shape != self._shape:
            self.reset()
            self._shape = shape
        if self.resolver.warm and not self.policy.due(pair):
            result = self.resolver.track(pair, self.translates)
            if not result.info["fallback"]:
                after, of_bicubic = result.info["consistency_after"], result.info["consistency_bicubic"]
                self.policy.tracked(after / of_bicubic if of_bicubic else 1.0)
                return result
            self._start_anew_if_cut(result)
        budget = self.budget if self.resolver.warm else self.first_budget
        result = self.resolver.keyframe(pair, budget, should_stop, on_progress)
        self.policy.keyframe_done(pair)
        self._start_anew_if_cut(result)
        self._understood = not result.info["fallback"]
        self._start_anew_if_in_vain(result)
        return result

    def _start_anew_if_cut(self, result: Result) -> None:
        """If weights that had understood the last keyframe came to a pair that they do not explain at all.

        Those that had not are kept: a scene that no weights explain better than bicubic does, such as a bare wall,
        would cost a cold keyframe a pair.
        """
        if self._understood and result.info["fallback"] and result.info["unexplained"]:
            self.start_anew(CUT)

    def _start_anew_if_in_vain(self, result: Result) -> None:
        """If warm keyframe after warm keyframe has explained nothing: the weights may be spoiled for good.

        Each time in a row it takes twice as many, so that a bare wall costs few cold keyframes.
        """
        if not (result.info["fallback"] and result.info["unexplained"]):
            self._in_vain, self._patience = 0, FIRST_PATIENCE
        elif result.info["start"] == "warm" and self.resolver.warm:
            self._in_vain += 1
            if self._in_vain == self._patience:
                patience = 2 * self._patience
                self.start_anew(IN_VAIN)
                self._patience = patience
