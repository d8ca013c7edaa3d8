"""The papers' numbers as our modules have them, against the texts of the papers."""

import pathlib
import re

import pytest

from launch.papers.landscape import experiments as landscape
from launch.papers.meta_ticket import experiments as meta_ticket
from launch.papers.mgaug import experiments as mgaug
from launch.papers.network_pruning import experiments as network_pruning
from launch.papers.paper import IN_TEXT
from launch.papers.registry import PAPERS

TEXTS = pathlib.Path(__file__).parents[4] / "shared" / "papers"
FILES = {
    "landscape": "understanding_generalization.txt",
    "meta_ticket": "meta_ticket.txt",
    "mgaug": "mgaug.txt",
    "network_pruning": "meta_learning_with_network_pruning.txt",
}
NUMBER = r"(\d+(?:\.\d+)?)"

pytestmark = pytest.mark.skipif(not TEXTS.is_dir(), reason="needs the texts of the papers")


def text(paper):
    """The text without what sets numbers in type."""
    plain = (TEXTS / FILES[paper]).read_text()
    return re.sub(r"</?b>|[$%\\{}]", "", plain.replace(r"$\pm$", "±").replace(r"\pm", "±"))


def printed_rows(paper):
    """The lines of the text that are rows of tables, and the pairs of numbers in each."""
    lines = [line for line in text(paper).splitlines() if line.count("±") > 1 and "\t" in line]
    pairs = [re.findall(rf"{NUMBER} *± *{NUMBER}", line) for line in lines]
    return [(line, [tuple(map(float, pair)) for pair in row]) for line, row in zip(lines, pairs)]


@pytest.mark.parametrize("name", ["meta_ticket", "mgaug", "network_pruning"])
def test_every_cell_of_every_table_is_the_number_in_the_text(name):
    tables = [table for table in PAPERS[name].tables if table.number != IN_TEXT]
    rows = [
        (row, [tuple(cell.published) for cell in table.cells if cell.row == row])
        for table in tables
        for row in table.rows
    ]
    printed = printed_rows(name)
    assert [numbers for _, numbers in rows] == [numbers for _, numbers in printed]
    for (label, _), (line, _) in zip(rows, printed):
        if name == "network_pruning":  # of which the text names each method once for four rows
            assert set(re.findall(r"\d+", label)) <= set(re.findall(r"\d+", line)), (label, line)
        else:
            assert line.startswith(label)


def thousands(settings):
    names = ("pruning_dense", "pruning_sparse", "pruning_retrain")
    return [settings[name] / 1000 for name in names if name in settings]


OMNIGLOT, MINI = landscape.DATA["omniglot"], landscape.DATA["mini_imagenet"]
DSD, EARLY, IHT = (network_pruning.PHASES[name] for name in ("dsd", "dsd_early", "iht"))
# Sentences of the papers with a place for each number, and what our settings have for these.
SENTENCES = [
    ("mgaug", r"train (\d+) and (\d+) epochs for GBML and MBML methods, and each epoch includes "
     r"(\d+) episodes. For 5-shot tasks, the number of epochs is halved",
     [50 * mgaug.EPOCHS["fomaml"][1], 50 * mgaug.EPOCHS["protonet"][1],
      mgaug.EVERYWHERE["validation_episodes"]]),
    ("mgaug", r"results over (\d+) episodes", [mgaug.EVERYWHERE["test_episodes"]]),
    ("mgaug", r"Adam optimizer with +10\^-(\d) +learning rate", [3]),
    ("mgaug", r"resize images to +(\d+) times \d+ +and +(\d+) times",
     [mgaug.BACKBONES[name]["image_size"] for name in ("conv4", "resnet10")]),
    ("mgaug", r"scale to \[(\d+), (\d+), (\d+)\] and \[(\d+), (\d+), (\d+), (\d+)\]",
     [*mgaug.RESOLUTIONS["conv4"]["resolutions"], *mgaug.RESOLUTIONS["resnet10"]["resolutions"]]),
    ("mgaug", r"from epochs (\d+), (\d+), (\d+), and (\d+) on 5-way 5-shot CUB", mgaug.STARTS),
    ("mgaug", r"improves the accuracy by (\d.\d+) and (\d.\d+) on CUB and", [6.96, 6.67]),
    ("meta_ticket", r"5-way classification with (\d) adaptation steps.*?achieve +71.59 ± 1.51",
     [meta_ticket.CONSTANT["inner_steps"]]),
    ("network_pruning", r"with 32 channels, .*? respectively as +(\d) times 10\^4 , +(\d) times "
     r"10\^4 +and +(\d) times 10\^4", [*(n / 10 for n in thousands(EARLY)), 2]),
    ("network_pruning", r"with 64, 128, 256 channels, the corresponding number is +(\d) times "
     r"10\^4 , +(\d) times 10\^4", [n / 10 for n in thousands(DSD)]),
    ("network_pruning", r"TieredImageNet dataset \[24\], .*? respectively as +(\d) times 10\^4 "
     r", +(\d) times 10\^4", [n / 10 for n in thousands(EARLY)]),
    ("network_pruning", r"pre-train the model for +(\d) times 10\^4 .*?with +(\d.\d) times 10\^4 +"
     r"iterations\) .*?with +(\d) times 10\^3 .*?for +t = (\d) +rounds",
     [thousands(IHT)[0] / 10, thousands(IHT)[1] / 10, thousands(IHT)[2], IHT["pruning_rounds"]]),
    ("network_pruning", r"interval iterations increasing from (\d+)K to (\d+)K",
     [min(network_pruning.LENGTHS["figure4b", "interval"]),
      max(network_pruning.LENGTHS["figure4b", "interval"])]),
    ("landscape", r"being composed of (\d+) filters", [OMNIGLOT["filters"]]),
    ("landscape", r"downsampled to (\d+) × \d+. .*?but used (\d+)\s",
     [OMNIGLOT["image_size"], MINI["filters"]]),
    ("landscape", r"a reduced size of (\d+) ×", [MINI["image_size"]]),
    ("landscape", r"rate α of (0.\d+) for Omniglot and (0.\d+) for MiniImagenet.*?rate β of "
     r"(0.\d+)",
     [OMNIGLOT["inner_learning_rate"], MINI["inner_learning_rate"],
      landscape.MAML["learning_rate"]]),
    ("landscape", r"mini-batch of (\d+) and (\d+) tasks .*?batches of (\d+)\s+and (\d+) tasks",
     [landscape.TASKS[data, shot]["tasks"] for data in landscape.DATA for shot in (1, 5)]),
    ("landscape", r"epoch comprises (\d+) meta-training", [landscape.MAML["steps_per_epoch"]]),
    ("landscape", r"Experiments are run for a (\d+)\s+epochs", [landscape.MAML["epochs"]]),
    ("landscape", r"mini-batches of (\d+) images with (\d+) iterations .*?and mini-batches of "
     r"(\d+) images with (\d+) iterations",
     [b[name] for b in landscape.BASELINES.values() for name in ("batch_size", "steps_per_epoch")]),
    ("landscape", r"two hidden layers, (\d+) neurons", landscape.SINE["hidden"][:1]),
    ("landscape", r"a fixed set of (\d+) randomly", [landscape.MAML["landscape_tasks"]]),
    ("landscape", r"we sample (\d+) tasks after",
     [landscape.VARIANTS["500_tasks"]["landscape_tasks"]]),
    ("landscape", r"coefficient Y = (0.5)", [landscape.VARIANTS["coherence"]["coherence_gamma"]]),
    ("landscape", r"from (94.05) to (95.38) \(average",
     [cell.published.mean for cell in PAPERS["landscape"].table(IN_TEXT).cells]),
    ("meta_ticket", r"achieve +(71.59) ± (1.51) .*?while random subnetworks achieve only "
     r"about (33)",
     [*PAPERS["meta_ticket"].table(IN_TEXT).cells[0].published,
      PAPERS["meta_ticket"].table(IN_TEXT).cells[1].published.mean]),
]  # fmt: skip


@pytest.mark.parametrize(("paper", "sentence", "numbers"), SENTENCES)
def test_settings_are_those_that_a_sentence_of_the_paper_gives(paper, sentence, numbers):
    found = re.search(sentence, text(paper), re.DOTALL)
    assert found, sentence
    assert [float(number) for number in found.groups()] == pytest.approx(list(numbers))


@pytest.mark.parametrize("name", PAPERS)
def test_numbers_that_captions_and_remarks_quote_are_in_the_text(name):
    quoted = [(t.number, t.caption) for t in PAPERS[name].tables]
    quoted += [(f.number, f"{f.caption} {f.remark}") for f in PAPERS[name].figures]
    for _, words in quoted:
        for number in re.findall(r"\d+\.\d\d", words):
            assert number in text(name), words
