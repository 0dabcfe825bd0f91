from experiments.report.pages.pictures import canvas

WORDS = "inception, kernel_size 4, learning_rate 0.0012 on placed_digits"


def test_a_title_and_a_label_are_wrapped_where_the_names_of_rows_leave_little_room():
    def draw(axis, name):
        axis.set_yticks([0], [name])
        axis.set_title(f"{WORDS}, n=8")
        axis.set_xlabel(f"test accuracy of {WORDS}, %")

    figure = canvas.panels(["a long name of a row, " * 2] * 3, draw, size=(6.2, 2.0), across=2)
    figure.draw_without_rendering()
    for axis in figure.axes:
        for text in (axis.title, axis.xaxis.label):
            box, of = text.get_window_extent(), axis.get_window_extent()
            assert "\n" in text.get_text()
            assert of.x0 - 10 <= box.x0 and box.x1 <= of.x1 + 10
            assert box.y0 >= 0 and box.y1 <= figure.bbox.y1


def test_a_label_keeps_its_end_unless_it_is_very_long():
    long = "latitude_longitude, also symmetric (learning_rate 0.00033, weight_decay 0.0005)"
    assert canvas.wrapped(long).count("\n") == 2
    assert " ".join(canvas.wrapped(long).split()) == long
    assert canvas.wrapped(long * 3).endswith(" …")
