import math

import pytest
import torch

from openfer.losses.attention_transfer import attention_transfer_loss

SHAPES = [(3, 4, 5, 5), (3, 8, 2, 2)]


def random_maps(dtype=torch.float32):
    return [torch.randn(shape, dtype=dtype) for shape in SHAPES]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_equation_9_written_as_loops(dtype, layout):
    torch.manual_seed(0)
    student, teacher = random_maps(dtype), random_maps(dtype)
    total = 0.0
    for q_level, p_level in zip(student, teacher, strict=True):
        for q, p in zip(q_level, p_level, strict=True):
            q, p = q.flatten().tolist(), p.flatten().tolist()
            q_length, p_length = math.hypot(*q), math.hypot(*p)
            total += math.hypot(*(a / q_length - b / p_length for a, b in zip(q, p, strict=True))) / len(q_level)
    found = attention_transfer_loss([q.contiguous(memory_format=layout) for q in student], teacher)
    assert found.dtype == dtype
    assert found.item() == pytest.approx(total, rel=1e-5)


def test_is_zero_for_maps_that_differ_only_in_scale():
    maps = random_maps()
    assert attention_transfer_loss([3 * level for level in maps], maps).item() == pytest.approx(0, abs=1e-6)


def test_is_two_per_level_for_opposite_maps():
    maps = random_maps()
    assert attention_transfer_loss([-level for level in maps], maps).item() == pytest.approx(2 * len(maps))


def test_a_sample_does_not_depend_on_its_neighbours():
    student, teacher = random_maps(), random_maps()
    alone = [
        attention_transfer_loss([q[i : i + 1] for q in student], [p[i : i + 1] for p in teacher]) for i in range(3)
    ]
    assert attention_transfer_loss(student, teacher).item() == pytest.approx(torch.stack(alone).mean().item(), rel=1e-5)


def test_teaches_the_student_and_never_the_teacher():
    student, teacher = torch.rand(2, 3, 4, 4, requires_grad=True), torch.rand(2, 3, 4, 4, requires_grad=True)
    attention_transfer_loss([student], [teacher]).backward()
    assert student.grad is not None
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None


def test_a_dead_map_gives_neither_a_missing_number_nor_a_missing_gradient():
    student = torch.zeros(2, 3, 4, 4, requires_grad=True)
    loss = attention_transfer_loss([student], [torch.rand(2, 3, 4, 4)])
    loss.backward()
    assert loss.isfinite()
    assert student.grad.isfinite().all()


def test_bfloat16_maps_are_measured_in_single_precision():
    torch.manual_seed(0)
    q, p = torch.randn(2, 64, 56, 56).bfloat16(), torch.randn(2, 64, 56, 56).bfloat16()
    found = attention_transfer_loss([q], [p])
    assert found.dtype == torch.float32
    # float32 sums 200,704 numbers to 7e-6 where the processor adds them one by one; bfloat16 has steps of 4e-3
    assert found.item() == pytest.approx(attention_transfer_loss([q.double()], [p.double()]).item(), rel=1e-4)


def test_names_both_shapes_when_they_differ():
    with pytest.raises(ValueError, match=r"student \[\(1, 2, 3, 3\)\], teacher \[\(1, 2, 4, 4\)\]"):
        attention_transfer_loss([torch.rand(1, 2, 3, 3)], [torch.rand(1, 2, 4, 4)])
