"""The pictures of an evaluation's report: what is drawn, on which scales, what is enlarged, what is left out."""

import re

import numpy as np
import pytest
from report_pictures import limits_by_colours, pictures
from reported_runs import record, results_of, truth, with_images, write

from robself.evaluation.report import write_report
from robself.evaluation.report.pictures import case_picture, main_methods
from robself.evaluation.tasks import Setting


def test_the_page_needs_nothing_beside_it(tmp_path):
    records = with_images(tmp_path / "out", [record("aloe", "bicubic", rmse=1.0)])
    write_report(write(tmp_path / "out", records))
    page = (tmp_path / "out" / "report.html").read_text()
    assert "http" not in page and not re.search(r"<script|<link|@import|url\(", page)
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 3  # two charts, one picture
    assert all(source.startswith("data:image/") for source in sources)
    assert pictures(tmp_path / "out")[0].std() > 20


def test_a_prediction_that_is_gone_is_left_out_and_said(tmp_path):
    records = [record("aloe", method, rmse=1.0) for method in ("bicubic", "nearest", "robself_de")]
    with_images(tmp_path / "out", records)
    (tmp_path / "out" / records[1]["prediction"]).unlink()
    (tmp_path / "out" / records[2]["prediction"]).write_bytes(b"PK\x03\x04 no archive")
    records.append(record("aloe", "p2p", rmse=1.0))
    write_report(write(tmp_path / "out", records))
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Left out: 1.npz: there is no such file" in page
    assert "Left out: 2.npz: cannot be read" in page
    assert "Left out: p2p: no prediction was kept" in page
    assert len(pictures(tmp_path / "out")) == 1


def test_a_case_without_inputs_has_no_picture_and_says_why(tmp_path):
    records = with_images(tmp_path / "out", [record("aloe", "bicubic", rmse=1.0)])
    (tmp_path / "out" / "inputs" / "aloe.npz").unlink()
    write_report(write(tmp_path / "out", records))
    assert "Left out: aloe.npz: there is no such file" in (tmp_path / "out" / "report.html").read_text()
    assert not pictures(tmp_path / "out")


def test_images_and_errors_are_drawn_on_common_scales(tmp_path):
    records = [record("aloe", method, rmse=1.25) for method in ("bicubic", "robself_de")]
    with_images(tmp_path / "out", records, unit=np.array("cm"))
    figure = case_picture(results_of(tmp_path / "out", records), "aloe", Setting()).figure
    ranges = limits_by_colours(figure)
    assert {name: len(limits) for name, limits in ranges.items()} == {"turbo": 1, "inferno": 1}
    (errors,) = ranges["inferno"]
    assert errors == pytest.approx((0, 1.1), abs=1e-3)  # of the worst method
    bars = {axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()}
    assert bars == {"depth (cm)", "absolute error (cm)"}
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [
        *("source, 12x9", "bicubic", "robself_de", "truth"),
        *("guide, 48x36", "error of bicubic: RMSE 1.250", "error of robself_de: RMSE 1.250"),
        "guide aligned by robself_de",
    ]


def test_nir_is_drawn_in_grey(tmp_path):
    records = with_images(
        tmp_path / "out", [record("aloe", "bicubic", rmse=1.0)], modality=np.array("nir"), truth=None
    )
    figure = case_picture(results_of(tmp_path / "out", records), "aloe", Setting()).figure
    assert set(limits_by_colours(figure)) == {"gray"}


def test_the_enlarged_part_is_where_the_methods_differ(tmp_path):
    records = with_images(tmp_path / "out", [record("aloe", m, rmse=1.0) for m in ("bicubic", "nearest")])
    figure = case_picture(results_of(tmp_path / "out", records), "aloe", Setting()).figure
    crops = [image.get_array() for axis in figure.axes for image in axis.images]
    crops = [crop for crop in crops if crop.shape == (11, 14)]
    _, bicubic, nearest = crops[:3]
    assert (nearest != bicubic).sum() == 8 * 10  # all of the corner


def test_the_enlarged_part_of_one_method_is_where_it_is_wrong(tmp_path):
    records = with_images(tmp_path / "out", [record("aloe", "robself_re", rmse=1.0)])
    wrong = truth()
    wrong[26:34, 36:46] += 1
    np.savez(tmp_path / "out" / records[0]["prediction"], sr=wrong)
    figure = case_picture(results_of(tmp_path / "out", records), "aloe", Setting()).figure
    crops = [image.get_array() for axis in figure.axes for image in axis.images]
    assert any(crop.shape == (11, 14) and (crop == 1).sum() == 8 * 10 for crop in crops)


def test_main_methods_are_bicubic_robself_and_the_best_others(tmp_path):
    better = {"a": 5.0, "b": 1.0, "c": 3.0, "bicubic": 9.0, "robself_re": 8.0, "robself_de": 7.0}
    records = [record("aloe", method, rmse=value) for method, value in better.items()]
    results = results_of(tmp_path / "out", records, better)
    assert main_methods(results, Setting()) == ["bicubic", "c", "b", "robself_re", "robself_de"]
