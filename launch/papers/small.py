"""The small form that most recipes share."""

# All of a recipe on two cores in minutes, without a download. It shows that the recipe runs, and is
# not the paper's experiment: other data, size, network and budget.
SMALL = {
    "data": "glyphs",
    "image_size": 28,
    "test_crop": False,
    "filters": 8,
    "epochs": 8,
    "steps_per_epoch": 30,
    "validation_episodes": 40,
    "test_episodes": 200,
    # With the paper's rates so few steps end where they started: this is quickstart's for glyphs.
    "learning_rate": 0.002,
}
# Of learners with an inner loop: quickstart's rate for glyphs, for the same reason.
SMALL_INNER_RATE = {"inner_learning_rate": 0.1}
