from experiments.report.compare.families import families
from experiments.report.compare.reading import read
from tests import made


def titles(study):
    return [family.title for family in families(read(study, brief=True).cells)]


def test_cells_that_differ_in_padding_alone_are_one_family(tmp_path):
    made.study(tmp_path, seeds=(0,))
    (family,) = families(read(tmp_path).cells)
    assert family.title == "small_cnn on placed_digits"
    assert list(family.cells) == ["reflect", "same", "valid"]


def test_what_differs_is_the_familys_name(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0,))
    made.study(tmp_path, ("same", "valid"), (0,), model={"kernel_size": 4})
    made.study(tmp_path, ("same",), (0,), backend="jax")
    made.run(tmp_path, data={"name": "mnist", "source": "tfds"})
    assert sorted(titles(tmp_path)) == [
        "small_cnn on mnist",
        "small_cnn, kernel_size 3, jax on placed_digits",
        "small_cnn, kernel_size 3, tensorflow on placed_digits",
        "small_cnn, kernel_size 4, tensorflow on placed_digits",
    ]


def test_another_optimizer_is_said_by_its_name(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, optimizer={"name": "adamw", "weight_decay": 0.01})
    made.run(tmp_path, data={"resize": 48})
    assert sorted(titles(tmp_path)) == [
        "small_cnn, resize 48, optimizer sgd on placed_digits",
        "small_cnn, resize none, optimizer adamw on placed_digits",
        "small_cnn, resize none, optimizer sgd on placed_digits",
    ]


def test_data_of_other_content_is_no_other_family(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, "valid", fingerprint="placed_digits/1.0.0+fedcba987654")
    assert titles(tmp_path) == ["small_cnn on placed_digits"]


def test_the_seed_of_a_random_border_is_part_of_the_padding(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, "random", seeds={"padding": 7})
    assert len(titles(tmp_path)) == 1


def test_two_cells_of_one_name_carry_their_digest(tmp_path):
    made.run(tmp_path)
    made.run(tmp_path, "same", fingerprint="placed_digits/1.0.0+fedcba987654")
    (family,) = families(read(tmp_path).cells)
    assert {len(name.split()) for name in family.cells} == {2}


def test_a_padding_is_found_by_its_own_name_and_by_its_aliases(tmp_path):
    made.study(tmp_path, ("same", "valid"), (0,))
    plan = made.plan(tmp_path, aliases=[("half", "same")])
    (family,) = families(read(tmp_path, plan=plan).cells)
    assert family.named("half") == family.named("same") == "same"
    assert family.named("circular") is None
    assert family.shown("same") == "same, also half"
    assert family.shown("valid") == "valid"
