from experiments.differences import families, markdown, rows

STUDY = {
    ("small_cnn", "mnist"): {
        "same": {0: 90.0, 1: 91.0, 2: 92.0},
        "reflect": {0: 90.5, 1: 91.7, 2: 92.3, 3: 99.0},
        "half": {0: 90.0, 1: 91.0, 2: 92.0},
        "valid": {0: 80.0, 2: 81.0},
    },
    ("vgg16", "mnist"): {"valid": {0: 70.0}},
}


def test_cells_are_paired_over_the_baselines_seeds():
    first, second = families(STUDY, "same", 0.3)
    reflect, half = first.comparisons
    assert (reflect.name, reflect.n, round(reflect.mean, 6)) == ("reflect", 3, 0.5)
    assert half.verdict == "identical, bit for bit"
    assert first.left_out == {"valid": "lacks seeds 1"}
    assert second.left_out == {"valid": "same has 0 of the 2 seeds that a comparison needs"}


def test_the_section_says_all_of_it():
    text = "\n".join(markdown(families(STUDY, "same", 0.3), "same", 0.3))
    assert "### small_cnn on mnist" in text
    assert "| reflect − same | 3 | +0.50 [+0.00, +1.00] |" in text
    assert "too few seeds" in text
    assert "| half − same | 3 | – | – | – | – | identical, bit for bit | – | – |" in text
    assert "- valid: not compared, lacks seeds 1" in text
    assert markdown([], "same", 0.3) == []


def test_the_rows_are_the_comparisons():
    reflect, half = rows(families(STUDY, "same", 0.3))
    assert (reflect["cell"], reflect["verdict"], reflect["p"]) == ("reflect", "undecided", None)
    assert (half["mean"], half["model"], half["data"]) == (0.0, "small_cnn", "mnist")
