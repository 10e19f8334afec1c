"""The figures of plot.py as a journal prints them: every text lies within the figure, overlaps no other and is large
enough, figures are as wide as one or two columns, fonts are embedded; and wrong files get an error of one line."""
import gc
import os
import shutil
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import h5py
import matplotlib
matplotlib.use("Agg")
import numpy as np
import plot
from figure_files import (CLASSES, camels, classes, evaluation, importance, real_boxes, write, write_catalog,
                          write_class_predictions, write_halos, write_predictions, write_run)
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

gc.disable()  # the search for cyclic garbage takes a sixth of the time


class Layout(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.before = tempfile.TemporaryDirectory(), os.getcwd()
        os.chdir(cls.folder.name)
        write("e.json", evaluation())
        write("real.json", real_boxes())
        write("camels.json", camels())
        for channels in (20, 100, 200):
            for seed in (1, 2, 3):
                write_run(f"C{channels}/seed-{seed}", channels, seed, 15 if seed < 3 else 12)
        longest = "a_folder_with_a_very_long_name_of_a_user_who_describes_everything_in_it"
        for i, name in enumerate(("a", "b", "c", longest)):
            write_predictions(f"{name}.h5", f"runs/{name}", 0.05 * i)
            write_run(f"single/{name}", 20 + i, 7, 40)
            write(f"importance-{i}.json", importance(0.01 * i))
        write("classes.json", classes())
        write_class_predictions("classes.h5", "images.h5")
        write_halos("halos.h5")
        write_catalog("catalog.h5")

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)
        cls.folder.cleanup()

    def draw(self, *arguments):
        """The figure of a command, and the part of it that is saved, in inches."""
        saved = {}

        def record(figure, path, bbox_inches, **_):
            saved.update(figure=figure, box=bbox_inches)
            write(path, "")  # to save each twice would take most of the time
        with mock.patch.object(Figure, "savefig", record), \
             mock.patch.object(sys, "argv", ["plot.py", *arguments, "--out", "figure", "--overwrite"]), \
             mock.patch("builtins.print") as said:
            status = plot.main()
        self.assertEqual(status, 0, said.call_args_list)
        return saved["figure"], saved["box"]

    def texts_of(self, figure):
        """[(text, its extent in pixels)] of all that is drawn."""
        found, draw = [], Text.draw
        figure.set_dpi(matplotlib.rcParams["savefig.dpi"])  # as it is saved

        def record(text, renderer, *more, **named):
            if text.get_visible() and text.get_text().strip():
                found.append((text, text.get_window_extent(renderer)))
            return draw(text, renderer, *more, **named)
        with mock.patch.object(Text, "draw", record):
            figure.canvas.draw()
        matplotlib.pyplot.close(figure)
        return found

    def check(self, *arguments):
        figure, box = self.draw(*arguments)
        self.assertIn(round(25.4 * box.width, 1), (84.0, 174.0), arguments)
        texts = self.texts_of(figure)
        self.assertGreater(len(texts), 5)
        ends = np.array(box.extents) * figure.dpi
        blank = (ends[3] - max(extent.y1 for _, extent in texts)) / figure.dpi
        self.assertLess(blank, 0.1, f"{arguments[0]}: {blank} inches above the highest text")
        for i, (text, extent) in enumerate(texts):
            where = f"{arguments[0]}: {text.get_text()!r}"
            self.assertGreaterEqual(text.get_fontsize(), 7, where)
            self.assertTrue((extent.p0 >= ends[:2] - 1).all() and (extent.p1 <= ends[2:] + 1).all(),
                            f"{where} is cut: {extent} in {ends}")
            for other, its in texts[:i]:
                gaps = np.maximum(extent.p0, its.p0) - np.minimum(extent.p1, its.p1)
                self.assertTrue((gaps > -1).any(), f"{where} overlaps {other.get_text()!r}")
        return figure

    def test_fonts_are_embedded_as_outlines(self):
        with mock.patch.object(sys, "argv", ["plot.py", "halos", "--predictions", "halos.h5", "--out", "saved"]), \
             mock.patch("builtins.print"):
            self.assertEqual(plot.main(), 0)
        with open("saved.pdf", "rb") as file:
            pdf = file.read()
        self.assertIn(b"/FontFile2", pdf)
        self.assertNotIn(b"/Type3", pdf)
        pixels = matplotlib.image.imread("saved.png").shape[1]
        self.assertAlmostEqual(pixels / 300 * 25.4, 84, delta=0.2)

    def test_mass_functions(self):
        figure = self.check("smf", "--evaluation", "e.json")
        self.check_bars_below_models(figure.axes[0])
        figure = self.check("smf", "--evaluation", "e.json", "--models", "distribution", "um_resnet-100")
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertEqual(sum("seeds" in label for label in labels), 2, labels)  # forests of three files, a network
        figure = self.check("smf", "--evaluation", "e.json", "--models", "distribution", "um_resnet-100", "--names",
                            "forest, distribution per halo, of M*", "um_resnet C=100, the paper's recipe")
        labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertTrue(labels[-1].startswith("UM ResNet, $C = 100$, the paper's recipe"), labels)

    def check_bars_below_models(self, ax):
        legends = [child for child in ax.get_children() if isinstance(child, Legend)]
        models, = [legend for legend in legends if legend is ax.get_legend()]
        bars, = [legend for legend in legends if legend is not models]
        self.assertEqual(bars.get_texts()[0].get_text(), "scatter over boxes")
        self.assertGreaterEqual(models.get_window_extent().y0 + 1, bars.get_window_extent().y1)

    def test_tables(self):
        figure = self.check("table", "--evaluation", "e.json", "--paper")
        names = [label.get_text().replace("\n", " ").replace("\u00a0", " ")
                 for label in figure.axes[0].get_yticklabels()]
        self.assertEqual(len(names), 5 + 3 + 2 * 3)
        self.assertIn("UM ResNet, $C = 100$, mean prediction of 3 seeds", names)
        legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertIn("reference: Gaussian process, histogram and parameters", legend)
        self.assertIn("Poisson noise: 38.6", legend)
        self.assertIn("oracle, $V_\\mathrm{peak}$ of every halo: 34.0 \u00b1 1.7", legend)
        self.check("table", "--evaluation", "e.json", "--score", "chi2_eq1")
        self.check("table", "--evaluation", "real.json")
        figure = self.check("table", "--evaluation", "camels.json", "--reference", "the parameters")
        legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertIn("reference: Gaussian process, parameters", legend)
        self.assertIn("mean prediction of seeds", legend)

    def test_changes(self):
        figure = self.check("changes", "--evaluation", "e.json")
        self.assertEqual(len(figure.axes[0].get_yticks()), 4 + 3 + 3 + 2)  # all but the reference
        self.check("changes", "--evaluation", "real.json")
        figure = self.check("changes", "--evaluation", "camels.json")
        self.assertEqual([label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()][-2:],
                         ["and mass (minus vmax)", "and spin (minus vmax)"])

    def test_losses(self):
        figure = self.check("loss", "--run", "C20", "C100", "C200")
        self.assertEqual(len(figure.axes), 3)
        self.assertEqual(len(figure.axes[1].collections), 3)  # the ranges of three groups
        self.check("loss", "--run", "C200")
        write_run("diverged", 20, 1)
        with open("diverged/metrics.csv", encoding="utf-8") as file:
            write("diverged/metrics.csv", file.read().replace("1,1,train,1,441.0,", "1,1,train,1,3e18,"))
        figure = self.check("loss", "--run", "diverged")
        self.assertEqual(list(figure.axes[0].texts), [])  # nothing is written over the curves
        legend = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        self.assertIn(r"beyond the axis: up to $8 \times 10^{17}$", legend)
        self.check("loss", "--run", *[os.path.join("single", name) for name in sorted(os.listdir("single"))])

    def test_predictions(self):
        self.check("boxes", "--predictions", "a.h5", "b.h5", "c.h5")
        self.check("boxes", "--predictions", "a.h5", "--box", "103")
        self.check("predictions", "--predictions", "a.h5")

    def test_forests(self):
        self.check("halos", "--predictions", "halos.h5")
        self.check("importance", "--importance", "importance-0.json")
        self.check("importance", "--importance", "importance-0.json", "importance-1.json")

    def test_slices(self):
        self.check("slice", "--data", "catalog.h5")
        self.check("slice", "--data", "catalog.h5", "--subbox-size", "50")

    def test_classes(self):
        figure = self.check("confusion", "--evaluation", "classes.json", "--models", "zoo")
        self.assertEqual([label.get_text() for label in figure.axes[0].get_yticklabels()], CLASSES)
        self.assertIn("60", [text.get_text() for text in figure.axes[0].texts])
        self.assertEqual(len(self.check("confusion", "--evaluation", "classes.json").axes), 2)  # not of the constant
        figure = self.check("mistakes", "--predictions", "classes.h5", "--data", "images.h5")
        with h5py.File("classes.h5", "r") as file:
            shares, true = file["probabilities"][1::2], file["targets"][1::2]
        worst = np.argmin(shares[np.arange(30), true] - shares.max(1))
        title = f"{CLASSES[true[worst]]}\n→ {CLASSES[shares[worst].argmax()]}\n"
        self.assertTrue(figure.axes[0].get_title().startswith(title), figure.axes[0].get_title())
        shutil.copy("classes.h5", "unlabelled.h5")
        with h5py.File("unlabelled.h5", "a") as file:
            file["targets"][1 + 2 * worst] = -1
        figure = self.check("mistakes", "--predictions", "unlabelled.h5", "--data", "images.h5")
        self.assertIn("in 29 validation samples", figure.texts[0].get_text())
        self.check_mistakes_of_others()

    def check_mistakes_of_others(self):
        """A few mistakes in samples with names, not all of which validate: nothing is mixed with training samples."""
        with h5py.File("few.h5", "w") as file, h5py.File("classes.h5", "r") as given:
            given.copy("probabilities", file)
            file["files"] = [f"a/folder/of/images/a galaxy with a very long name {i}.png" for i in range(60)]
            file["targets"] = given["probabilities"][()].argmax(1)
            file["targets"][[1, 3, 5, 30]] = (file["targets"][()][[1, 3, 5, 30]] + 1) % 6
        drawn = "mistakes", "--predictions", "few.h5", "--data", "images.h5"
        figure = self.check(*drawn)
        self.assertIn("the 4 mistakes in 60 samples, of which it is not known", figure.texts[0].get_text())
        names = [text.get_text() for ax in figure.axes for text in ax.texts]
        self.assertEqual(sorted(name[-6:] for name in names), [" 1.png", " 3.png", " 5.png", "30.png"])
        self.assertTrue(all(name.startswith("…") and len(name) == 22 for name in names), names)
        with h5py.File("few.h5", "a") as file:
            file["validation"], file["split"] = np.zeros(60, dtype=int), np.repeat((-1, 0), (10, 50))
        self.assertIn("the 3 mistakes in 10 samples that the run does not know", self.check(*drawn).texts[0].get_text())
        with h5py.File("few.h5", "a") as file:
            file["split"][:10] = 2
        self.refused(drawn, "few.h5", "trained on these or leaves them for tests")
        with h5py.File("few.h5", "a") as file:
            file["validation"][10:20] = 1
        self.refused(drawn, "few.h5", "makes no mistake in 10 validation samples")
        write("p.csv", "row,predicted\n")
        self.refused(("mistakes", "--predictions", "p.csv", "--data", "images.h5"), "p.csv", "HDF5", "--out ends in .h5")

    def refused(self, arguments, *parts):
        """The command writes nothing but an error of one line that contains `parts`."""
        with mock.patch.object(sys, "argv", ["plot.py", *arguments, "--out", "refused"]), \
             mock.patch("builtins.print") as said:
            self.assertEqual(plot.main(), 1, arguments)
        message, = [call.args[0] for call in said.call_args_list]
        self.assertNotIn("\n", message)
        for part in ("plot.py: ", *parts):
            self.assertIn(part, message)
        self.assertFalse(os.path.exists("refused.png") or os.path.exists("refused.pdf"))

    def test_wrong_files_are_refused_with_one_line(self):
        def spoiled(change):
            result = evaluation()
            change(result)
            write("bad.json", result)
            return "bad.json"
        table, changes = ("table", "--evaluation"), ("changes", "--evaluation")
        self.refused((*table, spoiled(lambda e: e.pop("models"))), "bad.json", "models")
        self.refused((*table, spoiled(lambda e: e["models"][1]["chi2"].update(mean=None))), "models[1].chi2.mean")
        self.refused((*table, spoiled(lambda e: e["models"][-3]["members"][2].pop("chi2"))), "members[2].chi2")
        self.refused((*table, spoiled(lambda e: e["models"][0].update(kind="best"))), "models[0].kind", "oracle")
        self.refused((*table, "e.json", "--models", "um_dense"), "e.json", "um_dense", "um_resnet C=100")
        self.refused((*table, "camels.json", "--paper"), "camels.json", "--paper", "C = 20, 100 or 200")
        self.refused((*table, "e.json", "--paper", "--score", "chi2_eq1"), "--paper", "--score")
        alone = spoiled(lambda e: [model.pop("minus_reference", None) or model["chi2"].pop("of_box")
                                   for model in e["models"]])
        self.refused((*changes, alone), "bad.json", "minus_reference")
        write("bad.json", {"changes": [{"name": "a", "difference": {"mean": 1}}]})
        self.refused((*changes, "bad.json"), "changes[0].difference.standard_error")
        self.refused(("smf", "--evaluation", "e.json", "--models", "nothing"), "e.json", "nothing")
        self.refused(("smf", "--evaluation", "e.json", "--models", "mean SMF", "--names", "a", "b"), "e.json",
                     "--names", "each of these models", "mean SMF")
        write_predictions("other.h5", "runs/other", boxes=12)
        self.refused(("boxes", "--predictions", "a.h5", "other.h5"), "other.h5", "a.h5")
        self.refused(("boxes", "--predictions", "a.h5", "--box", "3"), "a.h5", "--box 3")
        with h5py.File("other.h5", "a") as file:
            del file.attrs["sigma"]
        self.refused(("boxes", "--predictions", "other.h5"), "other.h5", "sigma")
        self.refused(("confusion", "--evaluation", "e.json"), "e.json", "classes")
        self.refused(("confusion", "--evaluation", "classes.json", "--models", "nothing"), "classes.json", "nothing")
        self.refused(("mistakes", "--predictions", "a.h5", "--data", "images.h5"), "a.h5", "targets and probabilities")
        self.refused(("mistakes", "--predictions", "classes.h5", "--data", "halos.h5"), "halos.h5", "n x channels")
        write("bad.json", {**importance(), "permutation_of_groups": []})
        self.refused(("importance", "--importance", "importance-0.json", "bad.json"), "bad.json", "importance-0.json")


if __name__ == "__main__":
    unittest.main()
