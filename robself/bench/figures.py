"""The figures of the benchmark, in order."""

from __future__ import annotations

from robself.bench import filter_memory, node_rates, reaching, same_iterations, scaling, track_pass, warm_work
from robself.bench.measurement import Figure

FIGURES = (
    Figure("a_time_ratio", "same iterations, same output: times faster", 4, same_iterations.measure, 1),
    Figure("a_memory_ratio", "filter, forward and backward: times less memory", 8, filter_memory.measure, 0.5),
    Figure("b_time_ratio", "to the literal reference's final RMSE: times faster", 15, reaching.against_literal, 5),
    Figure("c_work_ratio", "warm keyframe within 3 % of cold: times less work", 25, warm_work.measure, 5),
    Figure("d_track_ratio", "track pass: times cheaper than an iteration", 3, track_pass.measure, 0.5),
    Figure("e_exponent", "time of a keyframe ~ pixels^e", 1.05, scaling.measure, 0.5, at_most=True),
    Figure("f_mmsr_time_ratio", "to MMSR's final RMSE: times faster", 10, reaching.against_mmsr, 3),
    Figure("g_latency_ratio", "node: latency by processing and one frame", 1.2, node_rates.measure, 1, at_most=True),
)  # fmt: skip
