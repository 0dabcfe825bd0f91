from experiments.run.record.tables import Marked, markdown


def test_what_markdown_would_read_is_escaped_in_headings_and_entries():
    assert markdown(["a|b_c", "<i>"], [["&lt;", "*x*"], ["two\nlines", 7]]).splitlines() == [
        r"| a\|b\_c | &lt;i> |",
        "|---|---|",
        r"| &amp;lt; | \*x\* |",
        "| two lines | 7 |",
    ]


def test_what_is_marked_stands_as_it_is():
    marked = Marked("*x_y*")
    assert markdown([marked], [[marked]]) == "| *x_y* |\n|---|\n| *x_y* |"


def test_numbers_are_set_to_the_right_and_nothing_is_a_space():
    text = markdown(["", "n", "mean"], [["same", "", ""]], right=range(1, 3))
    assert text.splitlines() == ["| | n | mean |", "|---|---:|---:|", "| same | | |"]
