"""The evaluation's report, on folders made here in the layout that an evaluation leaves."""

import re
from html import unescape
from pathlib import Path

import cv2
import numpy as np
import pytest
from report_pictures import pictures
from reported_runs import CASES, METHODS, RMSE, record, results_of, runs, with_images, write

from robself.errors import InputError, OutputError
from robself.evaluation.report import write_figures, write_report
from robself.evaluation.report.plots import rmse_against_seconds, rmse_bars, robustness
from robself.evaluation.report.results import Results
from robself.evaluation.report.table import case_table, ranked, score_table
from robself.evaluation.tasks import Setting


def tables(folder):
    """The tables of table.md: rows by the name in their first column, cells by the heading."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", (folder / "table.md").read_text(), re.MULTILINE):
        lines = [re.split(r"(?<!\\)\|", line[1:-1]) for line in block.splitlines()]
        heading, _, *rest = [[cell.strip() for cell in line] for line in lines]
        rows = {line[0]: dict(zip(map(unescape, heading), line, strict=True)) for line in rest}
        found.append(rows)
    return found


def numbers(cell):
    return [float(number) for number in re.findall(r"[\d.]+", re.sub(r"</?u>", "", cell))]


@pytest.fixture
def folder(tmp_path):
    """One of robself_de's runs has failed as well, with a seed of its own."""
    return write(tmp_path / "out", [*runs(), record("aloe", "robself_de", 2, error="RuntimeError: no luck")])


def test_scores_are_means_over_seeds_of_the_mean_over_cases(tmp_path):
    write_report(write(tmp_path / "out", runs()))
    rows, _ = tables(tmp_path / "out")
    by_seed = [np.mean(RMSE["robself_de", seed]) for seed in (0, 1)]
    assert numbers(rows["robself_de"]["RMSE"]) == pytest.approx([np.mean(by_seed), np.std(by_seed)], rel=1e-3)
    assert numbers(rows["bicubic"]["RMSE"]) == [4.0]  # without seeds there is no spread
    assert numbers(rows["nearest"]["RMSE"]) == pytest.approx([20 / 3], rel=1e-3)
    ratio = numbers(rows["robself_de"]["RMSE / bicubic"])
    assert ratio == pytest.approx([np.mean(by_seed) / 4.0, np.std(by_seed) / 4.0], abs=0.006)
    assert numbers(rows["nearest"]["δ < 1.25"]) == pytest.approx([1 - 20 / 300], rel=1e-3)
    costs = ("seconds", "iterations", "peak memory (MiB)", "runs")
    assert [rows["robself_de"][name] for name in costs] == ["0.5", "20", "3", "6"]


def test_the_best_is_bold_and_the_second_underlined_whichever_way_is_better(tmp_path):
    write_report(write(tmp_path / "out", runs()))
    scores, cases = tables(tmp_path / "out")
    for heading in ("RMSE", "δ < 1.25"):  # less is better, more is better
        assert scores["robself_de"][heading].startswith("**")
        assert scores["bicubic"][heading].startswith("<u>")
        assert not re.search(r"\*\*|<u>", scores["nearest"][heading])
    assert cases["aloe"]["robself_de"] == "**2.500 ± 0.5**"
    assert cases["aloe"]["bicubic"] == "<u>4.000</u>"


def test_equals_share_a_place_and_nobody_wins_alone():
    assert ranked([2.0, 1.0, None, 1.0, 3.0], -1) == [2, 1, 0, 1, 0]
    assert ranked([2.0, 1.0, None, 1.0, 3.0], 1) == [2, 0, 0, 0, 1]
    assert ranked([2.0, 2.0], -1) == ranked([2.0, None], -1) == [0, 0]


def test_who_lacks_a_case_does_not_compete(folder):
    write_report(folder)
    scores, _ = tables(folder)
    assert not re.search(r"\*\*|<u>", scores["robself_de"]["RMSE"])  # though its mean is the best
    assert scores["bicubic"]["RMSE"].startswith("**")
    assert scores["robself_de"]["runs"] == "6 of 7"


def test_runs_that_fell_back_to_bicubic_are_told(tmp_path):
    fell_back = [record(case, "robself_re", rmse=2.0, info={"fallback": True}) for case in CASES[:2]]
    write(tmp_path, [*fell_back, record(CASES[2], "robself_re", rmse=1.0, info={"fallback": False})])
    write_report(tmp_path)
    scores, _ = tables(tmp_path)
    assert scores["robself_re"]["runs"] == "3 (2 fallback)"


def test_a_score_competes_among_the_cases_that_have_it(tmp_path):
    niqe = {("bicubic", "aloe"): 5.0, ("bicubic", CASES[1]): 4.0, ("nearest", "aloe"): 4.5}
    records = [entry | {"scores": {"niqe": niqe.get((entry["method"], entry["case"]))}} for entry in runs()]
    results = results_of(tmp_path / "out", records)
    competing = [method for method in METHODS if results.competes(method, Setting(), "niqe")]
    assert competing == ["bicubic"]  # nobody has one of the third case


def test_the_ratio_to_bicubic_is_over_the_cases_that_both_have(tmp_path):
    hard_left_out = [entry for entry in runs() if (entry["method"], entry["case"]) != ("nearest", CASES[1])]
    results = results_of(tmp_path / "out", hard_left_out)
    assert results.ratio("nearest", Setting()).mean == pytest.approx((8 + 3) / (4 + 2))
    assert results.ratio("p2p", Setting()) is None


def test_what_was_not_run_says_so_and_what_failed_too(tmp_path):
    failed = record("aloe", "mmsr", error="RuntimeError: out of memory", seconds=None)
    write_report(write(tmp_path / "out", [*runs(), failed], (*METHODS, "mmsr")))
    scores, cases = tables(tmp_path / "out")
    assert scores["p2p"]["RMSE"] == scores["DCTNet"]["RMSE"] == "not run"
    assert scores["p2p"]["runs"] == "0"
    assert scores["mmsr"]["RMSE"] == "failed" and scores["mmsr"]["runs"] == "0 of 1"
    assert cases["aloe"]["mmsr"] == "failed" and cases["a\\|b\\_\\*c\\*"]["mmsr"] == "not run"
    assert "p2p" not in cases["aloe"]
    text = (tmp_path / "out" / "table.md").read_text()
    assert "13 runs: 4 methods on 3 cases. 1 of the runs failed." in text
    assert "- mmsr on aloe, seed 0: RuntimeError: out of memory" in text


def test_predictions_of_a_method_of_the_paper_take_its_row(tmp_path):
    write_report(write(tmp_path / "out", [*runs(), record("aloe", "dctnet", rmse=1.0)], (*METHODS, "dctnet")))
    scores, _ = tables(tmp_path / "out")
    assert "DCTNet" not in scores and numbers(scores["dctnet"]["RMSE"]) == [1.0]


def test_a_score_that_no_run_has_gets_no_column(tmp_path):
    write_report(write(tmp_path / "out", runs()))
    scores, _ = tables(tmp_path / "out")
    assert not {"NIQE", "MAE"} & scores["bicubic"].keys()
    text = (tmp_path / "out" / "table.md").read_text()
    assert "- RMSE: root mean square error" in text and "- NIQE" not in text


def test_groups_have_their_means(tmp_path):
    groups = dict(zip(CASES, ("simple", "complex", "simple"), strict=True))
    records = [entry | {"group": groups[entry["case"]]} for entry in runs()]
    table = case_table(results_of(tmp_path / "out", records), Setting())
    rows = {row[0].text: row[1].text for row in table.rows}
    assert rows["mean of simple"] == "3.000" and rows["mean of complex"] == "6.000"


def test_without_truth_the_report_is_of_what_there_is(tmp_path):
    records = [record(case, "bicubic") | {"scores": {"rmse": None, "niqe": 5.0}} for case in CASES]
    with_images(tmp_path / "out", records, truth=None)
    write_report(write(tmp_path / "out", records))
    scores, _ = tables(tmp_path / "out")
    assert numbers(scores["bicubic"]["NIQE"]) == [5.0] and "RMSE" not in scores["bicubic"]
    assert len(pictures(tmp_path / "out")) == 3
    assert write_figures(tmp_path / "out") == []


def test_an_evaluation_without_a_run_is_reported(tmp_path):
    write_report(write(tmp_path / "out", []))
    scores, cases = tables(tmp_path / "out")
    assert not cases and set(scores) >= {*METHODS}
    assert "0 runs" in (tmp_path / "out" / "report.html").read_text()


def test_names_cannot_become_markup(tmp_path):
    records = runs()
    records[0]["error"] = "<b>bad</b>"
    write_report(write(tmp_path / "out", records, config={"dataset": "<i>", "methods": ["<u>m</u>"]}))
    page, text = ((tmp_path / "out" / name).read_text() for name in ("report.html", "table.md"))
    assert "&lt;script&gt;x" in page and "&lt;b&gt;bad" in page and "&lt;u&gt;m" in page
    assert not re.search(r"<(script|b|i|u)>", page)
    assert "&lt;script&gt;x" in text and "a\\|b\\_\\*c\\*" in text
    assert not re.search(r"<(script|b|i)>", text)


def test_bars_stand_from_best_to_worst_with_their_spread(tmp_path):
    axis = rmse_bars(results_of(tmp_path / "out", runs()), Setting()).axes[0]
    axis.figure.draw_without_rendering()  # old matplotlibs name the ticks only then
    assert [label.get_text() for label in axis.get_yticklabels()] == ["nearest", "bicubic", "robself_de"]
    assert [bar.get_width() for bar in axis.patches] == pytest.approx([20 / 3, 4, 2.5])
    (whiskers,) = (line for line in axis.collections if len(line.get_segments()) == 3)
    assert np.array(whiskers.get_segments()[2])[:, 0] == pytest.approx([2.0, 3.0])


def test_labels_of_the_scatter_do_not_cover_each_other(tmp_path):
    records = [record("aloe", f"method_{index}", rmse=2 + index / 100) for index in range(6)]
    figure = rmse_against_seconds(results_of(tmp_path / "out", records, ()), Setting())
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert len(boxes) == 6
    assert not any(one.overlaps(other) for one in boxes for other in boxes if one is not other)


def moved_runs():
    """RMSE is the translation plus 1, or twice the rotation plus 1; with the second seed 2 more."""
    settings = [({"translation_px": px}, px + 1.0) for px in (0, 5, 20)]
    settings += [({"rotation_degrees": degrees}, 2.0 * degrees + 1) for degrees in (0, 2)]
    return [
        record("aloe", "robself_de", seed, rmse + 2 * seed, setting=setting)
        for setting, rmse in settings
        for seed in (0, 1)
    ]


def test_robustness_is_drawn_against_translation_and_rotation(tmp_path):
    figure = robustness(results_of(tmp_path / "out", moved_runs(), ()))
    drawn = {axis.get_xlabel(): axis.lines[0].get_xydata().tolist() for axis in figure.axes}
    assert drawn == {
        "translation of the guide (px)": [[0, 2], [5, 7], [20, 22]],
        "rotation of the guide (degrees)": [[0, 2], [2, 6]],
    }
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 1 and band[:, 1].max() == 23
    assert robustness(results_of(tmp_path / "other", runs())) is None


def test_every_setting_has_its_tables(tmp_path):
    write_report(write(tmp_path / "out", moved_runs(), ()))
    text = (tmp_path / "out" / "table.md").read_text()
    assert "## Scores: guide moved by 5 px" in text and "## Scores: guide rotated by 2 degrees" in text
    table = score_table(Results.read(tmp_path / "out"), Setting(translation_px=20))
    row = next(row for row in table.rows if row[0].text == "robself_de")
    assert row[1].text == "22.00 ± 1"


def test_figures_for_documentation_are_files(tmp_path):
    written = write_figures(write(tmp_path / "out", moved_runs(), ()))
    assert [path.name for path in written] == ["rmse.png", "pareto.png", "robustness.png"]
    assert all(cv2.imread(str(path)).std() > 10 for path in written)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"metrics\.json: cannot be read: No such file"),
        ("{", r"metrics\.json: not what an evaluation writes"),
        ("{}", r"metrics\.json: not what an evaluation writes: KeyError\('runs'\)"),
        ('{"runs": [{"case": "a"}]}', r"metrics\.json: a run's method: .*Field required"),
        ('{"runs": [{"case": "a", "method": "b", "setting": {"x": 1}}]}', r"metrics\.json: .*'x'"),
    ],
)
def test_a_folder_that_holds_no_evaluation_is_told_in_one_line(tmp_path, content, said):
    if content is not None:
        (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(InputError, match=said) as caught:
        write_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.html"))


def test_a_report_that_cannot_be_written_is_told(folder):
    (folder / "table.md").mkdir()
    with pytest.raises(OutputError, match=r"table\.md: cannot be written"):
        write_report(Path(folder))
