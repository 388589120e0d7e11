"""Runs of an evaluation: which there are, what is kept of them, how they are gone on with."""

import json

import numpy as np
import pytest
import yaml
from evaluation_runs import CASES, SIZE, evaluate, inline, named, repeatable, write_pairs

from robself.errors import ConfigError, DatasetError, EvaluationError, InputError, Interrupted, OutputError
from robself.evaluation.evaluation import complain_of_failures
from robself.evaluation.options import EvaluationOptions, choose_methods, default_preset
from robself.methods import METHODS
from robself.peak_memory import PeakMemory

pytestmark = pytest.mark.usefixtures("methods_of_tests")


@pytest.fixture
def pairs(tmp_path):
    return write_pairs(tmp_path / "pairs")


def journal(output):
    return [json.loads(line) for line in (output / "results.jsonl").read_text().splitlines()]


def interrupted_after(count):
    def engine(jobs, most):
        for outcome, _ in zip(inline(jobs, most), range(count), strict=False):
            yield outcome
        raise KeyboardInterrupt

    return engine


def test_every_case_method_and_seed_is_a_run_and_what_is_not_random_runs_once(pairs, tmp_path):
    metrics = evaluate(pairs, tmp_path / "out", methods=("bicubic", "noisy"), seeds=2)
    first = [(method, case, 0) for case in CASES for method in ("bicubic", "noisy")]
    expected = [*first, *(("noisy", case, 1) for case in CASES)]
    assert named(metrics["runs"]) == expected
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics


def test_a_run_s_scores_are_those_of_the_prediction_that_was_kept(pairs, tmp_path):
    out = tmp_path / "out"
    for run in evaluate(pairs, out, methods=("bicubic", "noisy"))["runs"]:
        truth = np.load(pairs / f"{run['case']}.npz")["gt"]
        sr = np.load(out / run["prediction"])["sr"]
        judged = np.isfinite(sr)
        assert sr.dtype == np.float32 and judged.all() == (run["case"] != "Aloe")  # which has a hole
        assert run["scores"]["rmse"] == pytest.approx(np.sqrt(np.mean((sr - truth)[judged] ** 2)), rel=1e-5)
        assert run["scores"]["missing"] == (~judged).sum()


def test_a_record_says_what_the_run_took_and_small_facts_only(pairs, tmp_path):
    (run,) = evaluate(pairs, tmp_path / "out", methods=("noisy",), limit=1)["runs"]
    assert run["iterations"] == 7 and run["info"] == {"iterations": 7, "kind": "normal"}
    assert 0 < run["seconds"] < 60 and run["error"] is None
    assert run["peak_memory_bytes"] >= 0 and "resident" in run["peak_memory_of"]


def test_peak_memory_is_that_of_the_block_alone():
    before = np.ones(8 << 20)
    with PeakMemory() as small:
        pass
    with PeakMemory() as large:
        np.ones(8 << 20)  # 64 MiB, given back at once; of less the allocator may have kept some
    assert small.bytes < 1 << 20 < 60 << 20 < large.bytes < 72 << 20
    assert before.all()


def test_the_inputs_are_kept_for_pictures(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    with np.load(tmp_path / "out" / "inputs" / "Baby.npz") as kept, np.load(pairs / "Baby.npz") as given:
        for ours, theirs in {"source": "lr", "guide": "guide", "truth": "gt"}.items():
            np.testing.assert_array_equal(kept[ours], given[theirs])


def test_without_images_only_numbers_are_kept(pairs, tmp_path):
    metrics = evaluate(pairs, tmp_path / "out", methods=("bicubic",), keep_images=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "config.yaml",
        "results.jsonl",
        "metrics.json",
    }
    assert metrics["runs"][0]["prediction"] is None


def test_the_summary_is_the_mean_over_cases_with_its_spread_over_seeds(pairs, tmp_path):
    metrics = evaluate(pairs, tmp_path / "out", methods=("bicubic", "noisy"), seeds=3)
    (entry,) = metrics["summary"]["noisy"]
    by_seed = [
        np.mean(
            [
                run["scores"]["rmse"]
                for run in metrics["runs"]
                if (run["method"], run["seed"]) == ("noisy", seed)
            ]
        )
        for seed in range(3)
    ]
    assert entry["scores"]["rmse"] == {
        "mean": pytest.approx(np.mean(by_seed)),
        "std": pytest.approx(np.std(by_seed)),
    }
    bicubic = metrics["summary"]["bicubic"][0]["scores"]["rmse"]["mean"]
    assert entry["ratio_to_bicubic"]["mean"] == pytest.approx(np.mean(by_seed) / bicubic)
    assert (entry["seeds"], entry["runs"], entry["failed"]) == (3, 9, 0)


def test_each_translation_and_rotation_is_a_setting_of_its_own(pairs, tmp_path):
    metrics = evaluate(
        pairs,
        tmp_path / "out",
        methods=("bicubic",),
        protocol="task1",
        translations=(0, 3),
        rotations=(5,),
        limit=1,
    )
    settings = [{"translation_px": 0}, {"translation_px": 3}, {"rotation_degrees": 5}]
    assert [run["setting"] for run in metrics["runs"]] == settings
    assert [entry["setting"] for entry in metrics["summary"]["bicubic"]] == settings
    inputs = tmp_path / "out" / "inputs"
    still, moved = (np.load(inputs / f"Aloe__translation_{px}px.npz")["guide"] for px in (0, 3))
    assert (still != moved).any()
    assert (inputs / "Aloe__rotation_5deg.npz").is_file()
    assert len({run["prediction"] for run in metrics["runs"]}) == 3


def test_config_says_how_to_repeat_the_run(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",), protocol="task1", scale=8, seeds=2)
    config = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert config["options"]["dataset"] == str(pairs)
    assert config["options"]["preset"] == "task1_x8"
    assert config["options"]["seeds"] == 2
    assert config["datasets"][0]["cases"] == 3 and config["datasets"][0]["protocol"] == "task1"
    assert {"python", "torch", "robself"} <= config["versions"].keys()
    assert config["machine"]["cpus"] >= 1
    assert EvaluationOptions.from_plain(config["options"]).plain() == config["options"]


def test_a_method_that_raises_is_recorded_and_the_others_go_on(pairs, tmp_path):
    metrics = evaluate(pairs, tmp_path / "out", methods=("failing", "bicubic", "wrong_size"))
    errors = {(run["method"], run["case"]): run["error"] for run in metrics["runs"]}
    assert errors["failing", "Baby"] == "ZeroDivisionError: no such luck"
    assert errors["wrong_size", "Aloe"] == f"estimate: shape (3, 3), expected the guide's {SIZE}"
    assert sum(error is None for error in errors.values()) == 5
    (failed,) = (run for run in metrics["runs"] if run["method"] == "failing" and run["error"])
    assert "in failing" in failed["traceback"] and failed["scores"] == {} and failed["prediction"] is None
    assert metrics["summary"]["failing"][0]["failed"] == 1
    with pytest.raises(
        EvaluationError, match="4 of 9 runs failed, the first: wrong_size on Aloe: estimate: shape"
    ):
        complain_of_failures(metrics)


def test_a_case_that_cannot_be_read_is_recorded_and_the_others_go_on(pairs, tmp_path):
    (pairs / "Baby.npz").write_bytes(b"no archive")
    metrics = evaluate(pairs, tmp_path / "out", methods=("bicubic", "nearest"))
    errors = [run["error"] for run in metrics["runs"]]
    assert [error is None for error in errors] == [True, True, False, False, True, True]
    assert "Baby.npz: cannot be read" in errors[2]


def test_an_interrupted_evaluation_gone_on_with_equals_one_that_was_not(pairs, tmp_path):
    options = {"methods": ("noisy", "bicubic"), "seeds": 2}
    whole = evaluate(pairs, tmp_path / "whole", **options)
    with pytest.raises(Interrupted, match=r"interrupted after 4 of 9 runs, which .*out keeps; .* --resume"):
        evaluate(pairs, tmp_path / "out", engine=interrupted_after(4), **options)
    so_far = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert named(so_far["runs"]) == named(whole["runs"])[:4]
    resumed = evaluate(pairs, tmp_path / "out", resume=True, **options)
    assert repeatable(resumed["runs"]) == repeatable(whole["runs"])
    assert resumed["summary"] == whole["summary"]
    assert named(journal(tmp_path / "out")) == named(whole["runs"])  # nothing was run twice


def test_a_torn_last_line_is_run_again(pairs, tmp_path):
    options = {"methods": ("bicubic",)}
    whole = evaluate(pairs, tmp_path / "out", **options)
    path = tmp_path / "out" / "results.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    resumed = evaluate(pairs, tmp_path / "out", resume=True, **options)
    assert repeatable(resumed["runs"]) == repeatable(whole["runs"])
    assert len(journal(tmp_path / "out")) == 3


def test_a_damaged_line_within_is_an_error(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    path = tmp_path / "out" / "results.jsonl"
    path.write_bytes(b"{" + path.read_bytes())
    with pytest.raises(EvaluationError, match=r"results.jsonl: line 1 is damaged"):
        evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True)


def test_what_failed_is_run_again_when_gone_on_with(pairs, tmp_path, monkeypatch):
    evaluate(pairs, tmp_path / "out", methods=("failing",))
    monkeypatch.setitem(
        METHODS, "failing", METHODS["bicubic"].__class__("failing", METHODS["bicubic"].run, "")
    )
    metrics = evaluate(pairs, tmp_path / "out", methods=("failing",), resume=True)
    assert [run["error"] for run in metrics["runs"]] == [None] * 3
    assert len(journal(tmp_path / "out")) == 4


def test_an_evaluation_grows_by_methods_seeds_and_cases_and_never_shrinks(pairs, tmp_path):
    out = tmp_path / "out"
    evaluate(pairs, out, methods=("noisy",), limit=2)
    grown = evaluate(pairs, out, methods=("bicubic",), seeds=2, limit=1, resume=True)
    assert {(run["method"], run["seed"]) for run in grown["runs"]} == {
        ("noisy", 0),
        ("noisy", 1),
        ("bicubic", 0),
    }
    assert {run["case"] for run in grown["runs"]} == {"Aloe", "Baby"}
    assert grown["config"]["methods"] == ["noisy", "bicubic"]
    assert evaluate(pairs, out, methods=("bicubic",), limit=1, resume=True)["runs"] == grown["runs"]
    assert len(journal(out)) == len(grown["runs"]) == 6


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schedule": "paper"}, "resume: schedule was coarse_to_fine, is paper"),
        ({"preset": "task1_x4"}, "resume: preset was robot, is task1_x4"),
        ({"iterations": 3}, "resume: iterations was None, is 3"),
        ({"protocol": "task1", "translations": (3.0,)}, "resume: protocol was None, is task1"),
    ],
)
def test_results_are_not_mixed_with_those_of_other_options(pairs, tmp_path, change, complaint):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    before = (tmp_path / "out" / "config.yaml").read_bytes()
    with pytest.raises(ConfigError, match=complaint):
        evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True, **change)
    assert (tmp_path / "out" / "config.yaml").read_bytes() == before


def test_results_of_other_versions_are_told(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    path = tmp_path / "out" / "config.yaml"
    path.write_text(path.read_text().replace("numpy: ", "numpy: 0."))
    said = []
    evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True, said=said)
    assert len(said) == 1 and "earlier runs were made with other versions" in said[0]


def test_a_folder_with_results_is_not_written_over(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    with pytest.raises(OutputError, match="out: holds results, expected --resume to go on with them"):
        evaluate(pairs, tmp_path / "out", methods=("bicubic",))


def test_a_folder_without_results_is_begun_even_if_it_was_to_be_gone_on_with(pairs, tmp_path):
    assert len(evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True)["runs"]) == 3


def test_what_ended_before_its_first_result_can_be_begun_anew(pairs, tmp_path):
    with pytest.raises(Interrupted):
        evaluate(pairs, tmp_path / "out", engine=interrupted_after(0), methods=("bicubic",))
    assert len(evaluate(pairs, tmp_path / "out", methods=("nearest",))["runs"]) == 3


def test_two_evaluations_do_not_write_one_folder(pairs, tmp_path):
    def engine(jobs, most):
        yield from inline(jobs, most)
        with pytest.raises(OutputError, match="another process is writing it"):
            evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True)

    evaluate(pairs, tmp_path / "out", methods=("bicubic",), engine=engine)


def test_results_without_their_config_are_not_guessed_at(pairs, tmp_path):
    evaluate(pairs, tmp_path / "out", methods=("bicubic",))
    (tmp_path / "out" / "config.yaml").unlink()
    with pytest.raises(EvaluationError, match=r"holds results.jsonl without its config.yaml"):
        evaluate(pairs, tmp_path / "out", methods=("bicubic",), resume=True)


def test_an_output_that_is_a_file_is_refused(pairs, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="out: is a file, expected a folder"):
        evaluate(pairs, tmp_path / "out", methods=("bicubic",))


def test_predictions_made_elsewhere_have_their_row(pairs, tmp_path):
    (tmp_path / "theirs").mkdir()
    for case in CASES[:2]:
        np.save(tmp_path / "theirs" / f"{case}.npy", np.load(pairs / f"{case}.npz")["gt"])
    metrics = evaluate(
        pairs, tmp_path / "out", methods=("bicubic",), predictions={"DCTNet": str(tmp_path / "theirs")}
    )
    runs = {run["case"]: run for run in metrics["runs"] if run["method"] == "DCTNet"}
    assert runs["Aloe"]["scores"]["rmse"] == runs["Baby"]["scores"]["rmse"] == 0
    assert "theirs: nothing for case 'Cloth'" in runs["Cloth"]["error"]


def test_guides_aligned_elsewhere_take_the_place_of_the_dataset_s(pairs, tmp_path):
    from robself.image_files import write_colour

    (tmp_path / "aligned").mkdir()
    black = np.zeros((*SIZE, 3), np.uint8)
    write_colour(tmp_path / "aligned" / "Aloe.png", black)
    metrics = evaluate(
        pairs, tmp_path / "out", methods=("bicubic",), prealigned=str(tmp_path / "aligned"), limit=2
    )
    assert not np.load(tmp_path / "out" / "inputs" / "Aloe.npz")["guide"].any()
    assert "Baby.png" in metrics["runs"][1]["error"]


BAD = {
    "method": ({"methods": ("bicubik",)}, ConfigError, r"methods: 'bicubik' is unknown, did you mean bicubic\?"),
    "preset": ({"preset": "task9"}, ConfigError, "preset: 'task9' is unknown"),
    "schedule": ({"schedule": "slow"}, ConfigError, "schedule: 'slow' is unknown"),
    "no preset": ({"protocol": "task1", "scale": 2}, ConfigError, "preset: there is none of task1 at factor 2"),
    "seeds": ({"seeds": 0}, ConfigError, "seeds: 0, expected at least 1"),
    "taken": ({"predictions": {"bicubic": "."}}, ConfigError, "predictions: 'bicubic' is a method of this"),
    "no folder": ({"predictions": {"X": "none"}}, InputError, "predictions of X"),
    "loader": ({"loader": "nyu"}, ConfigError, "loader: 'nyu' is unknown"),
    "moved": ({"translations": (3,)}, ConfigError, "translation"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "kind", "complaint"), BAD.values(), ids=BAD)
def test_what_cannot_be_run_is_told_before_anything_is_written(pairs, tmp_path, options, kind, complaint):
    with pytest.raises(kind, match=complaint) as told:
        evaluate(pairs, tmp_path / "out", **({"methods": ("bicubic",)} | options))
    assert "\n" not in str(told.value)
    assert not (tmp_path / "out").exists()


def test_a_dataset_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DatasetError, match="none: no such folder"):
        evaluate(tmp_path / "none", tmp_path / "out", methods=("bicubic",))


@pytest.mark.parametrize(
    ("facts", "preset"),
    [
        ({"protocol": "task1", "scale": 8}, "task1_x8"),
        ({"protocol": "task3", "scale": 2}, "task3_x2"),
        ({"protocol": "pairs", "scale": 4}, "robot"),
        ({}, "robot"),
    ],
)
def test_the_preset_follows_protocol_and_scale(facts, preset):
    assert default_preset(facts) == preset


def test_the_methods_are_all_quick_ones_and_robself_if_none_is_named(pairs):
    chosen = choose_methods(EvaluationOptions(str(pairs)))
    assert {"nearest", "bilinear", "bicubic", "back_projection", "robself_re", "robself_de"} <= chosen.keys()
    assert not {"p2p", "mmsr", "ablation_neither"} & chosen.keys()


def test_every_method_can_be_sent_to_another_process():
    import pickle

    for method in METHODS.values():
        assert pickle.loads(pickle.dumps(method)).name == method.name


def test_a_full_disk_ends_the_run_and_loses_nothing(pairs, tmp_path, monkeypatch):
    from robself import journal as module

    syncs = []

    def fsync(number):
        syncs.append(number)
        if len(syncs) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", fsync)
    with pytest.raises(OutputError, match=r"results.jsonl: cannot be written: No space left on device"):
        evaluate(pairs, tmp_path / "out", methods=("bicubic", "nearest"))
    monkeypatch.undo()
    metrics = evaluate(pairs, tmp_path / "out", methods=("bicubic", "nearest"), resume=True)
    assert len(metrics["runs"]) == 6
