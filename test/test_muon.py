"""Muon against its definition: momentum, made orthogonal."""

import torch

from robself.muon import STEPS, A, B, C, Muon, orthogonalised


def test_orthogonalised_keeps_the_directions_and_levels_their_strengths():
    for shape in [(2, 4, 36), (1, 9, 5), (3, 6, 6)]:
        matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        U, _, Vh = torch.linalg.svd(matrices, full_matrices=False)
        strengths = torch.einsum("nir,nij,nrj->nr", U, orthogonalised(matrices), Vh)
        assert strengths.min() > 0.5 and strengths.max() < 1.3
        rest = orthogonalised(matrices) - U @ torch.diag_embed(strengths) @ Vh
        assert rest.abs().max() < 0.01


def test_orthogonalised_is_the_iteration_of_newton_and_schulz():
    """Also where strengths span six decades, as those of a momentum do."""
    U, S, Vh = torch.linalg.svd(torch.randn(2, 8, 72, generator=torch.Generator().manual_seed(0)), False)
    matrices = (U * torch.logspace(0, -6, S.shape[1])) @ Vh
    literal = matrices.double() / matrices.double().norm(dim=(1, 2), keepdim=True)
    for _ in range(STEPS):
        gram = literal @ literal.mT
        literal = A * literal + (B * gram + C * gram @ gram) @ literal
    assert (orthogonalised(matrices) - literal).norm() < 2e-3 * literal.norm()
    assert (orthogonalised(matrices.mT) - literal.mT).norm() < 2e-3 * literal.norm()


def test_muon_steps_by_the_orthogonalised_nesterov_momentum():
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(4, 3, 3, 3))
    start, gradients = weight.detach().clone(), torch.randn(2, 4, 3, 3, 3)
    muon = Muon([weight], 0.1)
    momentum, expected = torch.zeros(4, 27), start.flatten(1)
    for gradient in gradients:
        weight.grad = gradient.clone()
        muon.step()
        momentum = 0.95 * momentum + 0.05 * gradient.flatten(1)
        ahead = 0.95 * momentum + 0.05 * gradient.flatten(1)
        expected = expected - 0.1 * orthogonalised(ahead[None])[0]
    torch.testing.assert_close(weight.detach(), expected.view_as(weight), rtol=1e-5, atol=1e-6)
