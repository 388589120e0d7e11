"""Recorded work on a GPU gives what the same work gives as it is, from keyframe to keyframe."""

import logging
import threading

import numpy as np
import pytest
import torch
from small_pairs import assert_sound, coarse_pair, small_config, small_pair

from robself.cuda_graphs import Graphs
from robself.online import Budget, OnlineSuperResolver
from robself.schedule import Schedule, Stage

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

STAGES = Schedule((Stage(0.5, 4), Stage(1.0, 4)), (Stage(0.5, 2), Stage(1.0, 3)))


def stream(acceleration, variant="re", schedule=STAGES, pairs=3, size=(24, 32)):
    """A cold keyframe, then warm ones and tracked pairs in turn."""
    config = small_config(variant, residual=True, channels=8)
    resolver = OnlineSuperResolver(config, "cuda", schedule, acceleration=acceleration)
    resolver.dtype = torch.float32
    results = []
    for index in range(pairs):
        pair = coarse_pair((6, 8), size, edge=0.4 + 0.05 * index)
        results += [resolver.keyframe(pair), resolver.track(pair), resolver.track(pair, translate=False)]
    return results


@pytest.mark.parametrize("size", [(24, 32), (21, 30)])  # a whole factor, and one that is not
@pytest.mark.parametrize("variant", ["re", "de"])
def test_recorded_results_are_those_of_the_same_work_as_it_is(variant, size, caplog):
    with caplog.at_level(logging.WARNING):
        recorded = stream("cuda_graphs", variant, size=size)
    assert not caplog.text
    for ours, plain in zip(recorded, stream("none", variant, size=size), strict=True):
        if plain.translated is not None:
            assert_sound(ours, size)
        assert ours.info["fallback"] == plain.info["fallback"]
        spread = np.nanstd(plain.sr)
        assert np.abs(ours.sr - plain.sr).max() < 0.05 * spread
        if plain.info["loss_after"] is not None:
            assert ours.info["loss_after"] == pytest.approx(plain.info["loss_after"], rel=0.05)


def test_graphs_are_what_a_gpu_uses_and_what_they_hold_is_counted():
    resolver = OnlineSuperResolver(small_config(), "cuda")
    assert resolver.acceleration == "cuda_graphs"
    peaks = [resolver.keyframe(small_pair(), Budget(iterations=3)).info["memory_peak_mb"] for _ in range(3)]
    assert min(peaks[1:]) > 0.5 * peaks[0]


def test_pairs_of_other_sizes_have_recordings_of_their_own():
    resolver = OnlineSuperResolver(small_config(), "cuda")
    for size in ((18, 24), (36, 24), (18, 24)):
        for _ in range(2):
            assert_sound(resolver.keyframe(small_pair((9, 12), size), Budget(iterations=3)), size)


def test_recorded_iterations_go_back_to_the_last_good_weights_too():
    resolver = OnlineSuperResolver(small_config(), "cuda", Schedule((Stage(1.0, 40),), (Stage(1.0, 40),)))
    network_of = resolver.make_network

    def spoiling(config):
        spoiling.network = network_of(config)
        return spoiling.network

    resolver.make_network = spoiling

    def spoil(progress):
        if progress.iteration == 20:
            with torch.no_grad():
                next(spoiling.network.parameters()).fill_(float("nan"))

    result = resolver.keyframe(small_pair(), on_progress=spoil)
    assert result.info["stopped_by"] == "schedule" and np.isfinite(result.info["loss_after"])


def test_an_optimiser_that_goes_back_to_its_begin_forgets_its_moments():
    resolver = OnlineSuperResolver(small_config(), "cuda", Schedule((Stage(1.0, 25),), (Stage(1.0, 25),)))
    network_of, seen = resolver.make_network, []

    def spoiling(config):
        seen.append(network_of(config))
        return seen[-1]

    resolver.make_network = spoiling
    spoiled = []

    def spoil(progress):
        if progress.iteration == 0 and not spoiled:  # what is seen of it at the next look, ten iterations on
            spoiled.append(True)
            seen[0].head[2].bias.data.fill_(float("nan"))

    result = resolver.keyframe(small_pair(), on_progress=spoil)
    assert np.isfinite(result.info["loss_after"])


def test_what_cannot_be_recorded_runs_as_it_is_and_says_why(caplog):
    graphs = Graphs()
    numbers = torch.arange(4.0, device="cuda")

    def waiting(values):
        return (values * values.sum().item(),)  # a look at a number makes the CPU wait, which no graph can

    for _ in range(3):
        (result,) = graphs("waiting", waiting, (numbers,))
        torch.testing.assert_close(result, 6 * numbers)
    assert caplog.text.count("was not recorded as a CUDA graph") == 1
    (doubled,) = graphs("doubling", lambda values: (2 * values,), (numbers,))
    torch.testing.assert_close(doubled, 2 * numbers)


def test_inputs_are_read_anew_and_lasting_results_last():
    graphs = Graphs()
    results = [
        graphs(
            "doubling", lambda values: (2 * values, None), (torch.full((3,), float(number), device="cuda"),)
        )
        for number in range(4)
    ]
    assert [doubled[0].item() for doubled, _ in results] == [0, 2, 4, 6]


def test_work_that_must_not_be_done_twice_is_not():
    graphs, total = Graphs(), torch.zeros((), device="cuda")

    def count():
        total.add_(1)
        return ()

    for number in range(1, 5):
        graphs("count", count, again=False)
        assert total.item() == number


def test_a_thread_with_a_stream_of_its_own_records_while_another_uses_the_gpu():
    """As the node's worker does."""
    expected = stream("none", pairs=2)
    stop, outcome = threading.Event(), []

    def work():
        with torch.cuda.stream(torch.cuda.Stream()):
            outcome.extend(stream("cuda_graphs", pairs=2))
        stop.set()

    worker = threading.Thread(target=work)
    numbers = torch.ones(512, 512, device="cuda")
    worker.start()
    while not stop.is_set() and worker.is_alive():
        (
            numbers @ numbers
        ).sum().item()  # nothing random: a recording owns the generator for as long as it lasts
        torch.cuda.mem_get_info()
    worker.join()
    assert len(outcome) == len(expected)
    for ours, plain in zip(outcome, expected, strict=True):
        assert np.abs(ours.sr - plain.sr).max() < 0.05 * np.nanstd(plain.sr)
