"""The content-aware reference filter against Eq. 3 to 6 written out by loops."""

import pytest
import reference_equations as reference
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from robself.network.attention_by_rows import attention_by_rows
from robself.network.attention_by_tiles import TILE, _OverlappingTiles, attention_by_tiles
from robself.network.neighbourhood_attention import neighbourhood_attention
from robself.network.reference_filter import ReferenceFilter, importance_map, important_pixels

SIZES = [(1, 9), (5, 3), (9, 17)]  # one row, less than a tile of 8, a tile and one more
WAYS = [attention_by_rows, attention_by_tiles]


def features(size, channels=3, batch=2, seed=0):
    """Reference and source, float64, small enough that exp() of Eq. 5 stays exact."""
    generator = torch.Generator().manual_seed(seed)
    shape = (2, batch, channels, *size)
    return torch.randn(shape, generator=generator, dtype=torch.float64).unbind()


def thresholded(size, batch=2, seed=1):
    return torch.rand((batch, *size), generator=torch.Generator().manual_seed(seed)) > 0.5


def value_and_gradients(function, *inputs):
    """The output, and the gradients of a fixed random functional of it."""
    inputs = [tensor.clone().requires_grad_() for tensor in inputs]
    output = function(*inputs)
    generator = torch.Generator().manual_seed(9)
    weights = torch.randn(output.shape, generator=generator, dtype=torch.float64).to(output)
    return output.detach(), torch.autograd.grad((output * weights).sum(), inputs)


def assert_same(fast, literal, tolerance):
    torch.testing.assert_close(fast[0], literal[0], rtol=tolerance, atol=tolerance)
    for ours, theirs in zip(fast[1], literal[1], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)


def filtering(large, small, important, attend):
    return lambda guide, source: neighbourhood_attention(guide, source, large, small, important, attend)


def literal_filtering(large, small, important):
    def literal(guide, source):
        masks = [None] * len(source) if important is None else important
        images = zip(guide, source, masks, strict=True)
        return torch.stack([reference.enhanced(g, s, large, small, mask) for g, s, mask in images])

    return literal


@pytest.mark.parametrize("threshold", [False, True])
@pytest.mark.parametrize("kernels", [(3, 3), (5, 3), (7, 5), (13, 7)], ids="m{0[0]}n{0[1]}".format)
@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
def test_filter_equals_equations_5_and_6_in_values_and_gradients(size, kernels, threshold):
    guide, source = features(size)
    important = thresholded(size) if threshold else None
    literal = value_and_gradients(literal_filtering(*kernels, important), guide, source)
    for attend in WAYS:
        fast = value_and_gradients(filtering(*kernels, important, attend), guide, source)
        assert_same(fast, literal, 1e-10)


@pytest.mark.parametrize("queries", [1, 300])
def test_filter_is_the_same_however_many_rows_are_computed_at_once(monkeypatch, queries):
    guide, source = features((25, 17))
    important = thresholded((25, 17))
    whole = value_and_gradients(filtering(7, 5, important, attention_by_rows), guide, source)
    monkeypatch.setattr("robself.network.attention_by_rows.QUERIES_AT_ONCE", queries)
    assert_same(
        value_and_gradients(filtering(7, 5, important, attention_by_rows), guide, source), whole, 1e-12
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 19), st.integers(1, 19)),
    kernels=st.tuples(st.sampled_from([1, 3, 5, 9]), st.sampled_from([1, 3, 5, 9])),
    channels=st.integers(1, 5),
    threshold=st.booleans(),
    seed=st.integers(0, 99),
)
def test_tiled_filter_equals_equations_5_and_6_at_any_size_and_kernel(
    size, kernels, channels, threshold, seed
):
    large, small = max(kernels), min(kernels)
    guide, source = features(size, channels, batch=1, seed=seed)
    important = thresholded(size, batch=1, seed=seed) if threshold else None
    fast = neighbourhood_attention(guide, source, large, small, important)
    literal = literal_filtering(large, small, important)(guide, source)
    torch.testing.assert_close(fast, literal, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("attend", WAYS)
def test_filter_in_float32_is_as_exact_as_float32(attend):
    guide, source = features((13, 11))
    important = thresholded((13, 11))
    fast = value_and_gradients(filtering(7, 5, important, attend), guide.float(), source.float())
    literal = value_and_gradients(literal_filtering(7, 5, important), guide, source)
    # Logits of size 10 carry 10 * 6e-8 of relative error into exp(); sums of 49 terms some times that.
    assert_same((fast[0].double(), [g.double() for g in fast[1]]), literal, 2e-5)


@pytest.mark.parametrize("attend", WAYS)
def test_filter_in_bfloat16_rounds_what_it_returns_but_not_its_logits(attend):
    """16-bit logits of size 10 would be wrong by 0.03, and so would the weights."""
    guide, source = (2 * image.bfloat16() for image in features((13, 11), channels=8))
    important = thresholded((13, 11))
    attended = filtering(7, 5, important, attend)(guide, source)
    exact = filtering(7, 5, important, attend)(guide.double(), source.double())
    assert attended.dtype == torch.bfloat16
    assert (attended.double() - exact).norm() < 4e-3 * exact.norm()


def test_filter_survives_correlations_whose_exponential_overflows():
    guide, source = features((6, 6), channels=4)
    enhanced = neighbourhood_attention(guide.float() * 1e3, source.float() * 1e3, 5, 3, None)
    assert torch.isfinite(enhanced).all()
    # The weights become a choice of the best neighbour, so each pixel is one of the source's.
    pixels = (source.float() * 1e3).flatten(2)
    difference = (enhanced.flatten(2)[..., :, None] - pixels[..., None, :]).abs().amax(1)
    assert (difference.amin(-1) < 1e-2).all()


def test_a_pixel_sees_its_window_and_nothing_beyond_it():
    _, source = features((19, 21), batch=1)
    source.requires_grad_()
    important = torch.zeros(1, 19, 21, dtype=torch.bool)
    important[0, 9, 10] = True
    for row, column, reach in [(9, 10, 3), (9, 11, 1)]:
        enhanced = neighbourhood_attention(torch.zeros_like(source), source, 7, 3, important)
        (gradient,) = torch.autograd.grad(enhanced[0, 0, row, column], source)
        seen = gradient[0, 0].nonzero()
        assert seen.amin(0).tolist() == [row - reach, column - reach]
        assert seen.amax(0).tolist() == [row + reach, column + reach]
        torch.testing.assert_close(gradient[0, 0].max(), torch.tensor(1 / (2 * reach + 1) ** 2).double())


@pytest.mark.parametrize("extent", [8, 10, 12, 20])
def test_tiles_have_the_gradient_of_their_overlaps(extent):
    rows, columns = 2, 3
    size = (extent + (rows - 1) * TILE, extent + (columns - 1) * TILE)
    image = torch.randn(2, 1, *size, dtype=torch.float64, requires_grad=True)
    patches = _OverlappingTiles.apply(image, extent)
    literal = torch.stack(
        [
            image[b, :, r * TILE : r * TILE + extent, c * TILE : c * TILE + extent].flatten(1).T
            for b in range(2)
            for r in range(rows)
            for c in range(columns)
        ]
    )
    torch.testing.assert_close(patches[:, 0], literal, rtol=0, atol=0)
    weights = torch.randn_like(literal)
    (fast,) = torch.autograd.grad((patches[:, 0] * weights).sum(), image)
    (slow,) = torch.autograd.grad((literal * weights).sum(), image)
    torch.testing.assert_close(fast, slow, rtol=1e-12, atol=1e-12)


def test_tiles_pass_gradcheck():
    image = torch.randn(1, 2, 12, 20, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: _OverlappingTiles.apply(x, 12), image, fast_mode=True)


@pytest.mark.parametrize("size", [(2, 2), (5, 3), (9, 12)])
def test_importance_equals_equation_3(size):
    _, source = features(size)
    literal = torch.stack([reference.importance(image) for image in source])
    torch.testing.assert_close(importance_map(source).double(), literal, rtol=1e-5, atol=1e-5)


def test_importance_of_a_ramp_is_its_slope():
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(12.0), indexing="ij")
    ramp = 3 * columns - 4 * rows
    assert (importance_map(ramp[None, None])[0, 1:-1, 1:-1] == 8 * 5).all()  # Sobel's kernel weighs 8


def test_threshold_of_equation_4_is_taken_over_each_image_of_a_batch():
    _, source = features((7, 6))
    source[1] *= 100
    importance = importance_map(source)
    literal = torch.stack([reference.is_important(image.double(), 0.7) for image in importance])
    assert torch.equal(important_pixels(importance, 0.7), literal)
    assert 0 < literal[0].sum() < literal[0].numel()


def test_a_pixel_on_the_threshold_and_a_constant_image_are_not_important():
    assert not important_pixels(torch.full((1, 4, 4), 2.0), 1.0).any()
    assert not important_pixels(importance_map(torch.full((1, 3, 4, 4), 2.0)), 0.7).any()


@pytest.mark.parametrize("eta", [None, 0.7])
def test_reference_filter_is_its_projections_around_equations_3_to_6(eta):
    torch.manual_seed(0)
    filtering = ReferenceFilter(4, 5, 3, eta).double()
    guide, source = features((11, 9), channels=4, batch=1)

    def literal(guide, source):
        important = (
            None if eta is None else reference.is_important(reference.importance(source[0]).detach(), eta)
        )
        project = lambda image, layer: reference.convolved(image[0], layer)  # noqa: E731
        enhanced = reference.enhanced(
            project(guide, filtering.project_reference),
            project(source, filtering.project_source),
            5,
            3,
            important,
        )
        return reference.convolved(enhanced, filtering.project_enhanced)[None]

    fast = value_and_gradients(lambda g, s: filtering(s, g), guide, source)
    assert_same(fast, value_and_gradients(literal, guide, source), 1e-10)


def test_the_threshold_changes_the_result_only_of_pixels_under_it():
    torch.manual_seed(0)
    with_threshold, without = ReferenceFilter(4, 7, 3, 0.7), ReferenceFilter(4, 7, 3, None)
    without.load_state_dict(with_threshold.state_dict())
    guide, source = (F.avg_pool2d(f.float(), 3, 1, 1) for f in features((16, 16), channels=4))
    same = (with_threshold(source, guide) - without(source, guide)).abs().amax(1) < 1e-6
    important = important_pixels(importance_map(source), 0.7)
    assert same[important].all()
    assert not same[~important].any()
