"""The figures of plot.py as a journal prints them: every text lies within the figure, overlaps no other and is large
enough, figures are as wide as one or two columns, fonts are embedded; and wrong files get an error of one line."""
import json
import math
import os
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
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

EDGES = [10.2 + 0.1 * i for i in range(15)]
TRUTH = [1.6e-3 * 0.8**i for i in range(14)]


def score(mean, boxes=()):
    result = {"mean": mean, "standard_error": abs(0.05 * mean), "median": 0.6 * mean}
    return {**result, "of_box": boxes} if boxes else result


def model(name, mean, **more):
    boxes = [mean + 20 * math.sin(7 * i + mean) for i in range(20)]
    return {"name": name, "chi2": score(mean, boxes), "chi2_eq1": score(mean / 2, boxes),
            "smf_mean": [phi * (1 + 0.03 * math.sin(mean + i)) for i, phi in enumerate(TRUTH)],
            "smf_standard_deviation": [0.4 * phi for phi in TRUTH],
            "residual_standard_deviation": [0.1 * phi for phi in TRUTH],
            "minus_reference": {"chi2": score(mean - 40), "chi2_eq1": score(mean - 20)}, **more}


def ensemble(channels, folder, mean):
    members = [model(f"um_resnet C={channels} ({folder}/seed-{i})", mean + i, run=f"{folder}/seed-{i}")
               for i in (1, 2, 3)]
    return model(f"um_resnet C={channels}, mean prediction ({folder})", mean, run=folder, members=members,
                 seeds={"count": 3, "chi2": {"mean": mean + 2, "scatter": 4.0}})


def evaluation():
    """An evaluation with the models of a reproduction: long names, several seeds of forests and networks."""
    models = [model(name, mean, baseline=True) for name, mean in (
        ("mean SMF", 190), ("ridge on the histogram of the input", 50), ("Poisson regression on the parameters", 45),
        ("Poisson regression on the histogram and the parameters", 42),
        ("Gaussian process on the histogram and the parameters", 40))]
    for way in ("mean prediction per halo", "mean prediction per voxel", "distribution per halo"):
        for seed in (1, 2, 3):
            path = f"paper/forest-log10-{seed}.h5"
            models.append(model(f"forest, {way} ({path})", 100 + seed, forest=path))
            del models[-1]["minus_reference"]
    models += [ensemble(20, "paper/runs/um_resnet-20", 60), ensemble(20, "paper/runs/paper-20", 70),
               ensemble(100, "paper/runs/um_resnet-100", 55)]
    models += [model(name, mean, oracle=True) for name, mean in (("oracle, vpeak of every halo", 34),
                                                                 ("oracle, voxels of vpeak", 46))]
    del models[4]["minus_reference"]  # it is the reference
    observed = {"reference": "Moustakas et al. (2013)", "h": 0.7, "low_log10_msun": EDGES[:-1],
                "high_log10_msun": EDGES[1:], "phi": [30 * phi for phi in TRUTH], "error_low": TRUTH,
                "error_high": TRUTH}
    return {"format_version": 1, "bin_edges_log10_msun": EDGES, "smf_unit": "(Mpc/h)^-3 per bin", "h": 0.678,
            "subbox_size_mpc_per_h": 25, "sigma": [1e-4] * 14, "validation_boxes": 20, "observed_smf": observed,
            "smf_true_mean": TRUTH, "smf_true_standard_deviation": [0.5 * phi for phi in TRUTH], "models": models,
            "poisson_chi2": 38.6, "reference": models[4]["name"], "best_baseline": models[4]["name"]}


def real_boxes():
    """A table with sections, controls and single changes."""
    rows = [{"name": f"{name}, {inputs}", "section": section, "chi2": score(mean), "kind": kind,
             "seeds": {"count": 3, "chi2": {"mean": mean, "scatter": 2.0}}, "reference": "control " + section}
            for section in ("Vmax and positions", "with the seven parameters of the simulation")
            for name, inputs, mean, kind in (
                ("um_resnet", "five channels of voxels, pooled branch, log link", 37, "network"),
                ("um_halos", "all columns", 30, "network"), ("PyTorch", "the same network", 38, "peer"),
                ("Poisson regression on the parameters", "seven parameters", 36, "baseline"))]
    rows.append({"name": "um_resnet C=200, diverged", "chi2": score(3.2e12)})
    rows.append({"name": "E(phi | Vmax of the halos)", "chi2": score(17), "kind": "oracle"})
    changes = [{"name": name, "difference": score(mean), "reference": "the network before"}
               for name, mean in (("log link and Poisson", -12.0), ("pooled branch", -9.0), ("no help", 0.4))]
    for change in changes:
        change["difference"]["standard_error"] = 1.5
    return {"rows": rows, "changes": changes}


def camels():
    """What reproduce --camels writes."""
    def row(name, group, title, mean, control="", seeds=3):
        chi2 = {**score(mean), **({"of_seed": [mean] * seeds, "scatter": 0.02 * mean} if seeds > 1 else {})}
        minus = {"minus_control": {"control": control, "chi2": score(0.1 * mean - 4)}} if control else {}
        return {"row": name, "group": group, "title": title, "chi2": chi2, "seconds": 3.0, **minus,
                **({"mean_prediction": {"chi2": score(0.95 * mean)}} if seeds > 1 else {})}
    of_parameters = "Gaussian process on the parameters"
    of_histogram = "Gaussian process on the histogram of the input"
    return {"rows": [
        row("mean SMF", "baseline", "mean SMF", 183, seeds=1),
        row(of_histogram, "baseline", of_histogram, 64, seeds=1),
        row(of_parameters, "baseline", of_parameters, 21, seeds=1),
        row("default", "network", "`um_resnet.toml`: Vmax in 25\u00b3 voxels, 60 epochs", 87, of_histogram),
        row("five", "network", "five channels (occupancy, Vmax, mass, dispersion, Rmax), 12\u00b3 voxels, 300 epochs",
            40, "vmax"),
        row("fc1", "network", "Vmax and seven parameters at fc1, 12\u00b3 voxels", 18, of_parameters),
        row("vmax", "change", "control of the network: Vmax in 12\u00b3 voxels, 300 epochs", 80, seeds=1),
        row("mass", "change", "and mass", 60, "vmax", seeds=1), row("spin", "change", "and spin", 82, "vmax", seeds=1)],
        "poisson_chi2": 17.2, "seeds": 3}


def metrics(epochs, seed):
    lines, rates = ["epoch,step,split,loss,chi2,lr,grad_norm,seconds"], (0.1, 0.001) if seed > 3 else (0.003, 0.0003)
    for epoch in range(1, epochs + 1):
        for step in range(4 * epoch - 3, 4 * epoch + 1):
            lines.append(f"{epoch},{step},train,1,{40 + 400 / step + seed},{rates[epoch > 10]},1,1")
        lines.append(f"{epoch},{4 * epoch},validation,1,{50 + 300 / epoch + seed},0.1,0,1")
    return "\n".join(lines) + "\n"


def write(path, content):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))


def write_run(folder, channels, seed, epochs=15):
    write(f"{folder}/metrics.csv", metrics(epochs, seed))
    write(f"{folder}/config.toml", f"[model]\nname = 'um_resnet'\nchannels = {channels}\n[train]\nseed = {seed}\n")
    names = ["mean SMF", "ridge on the histogram of the input",
             "Poisson regression on the histogram and the parameters", "Poisson noise of the counts"]
    write(f"{folder}/baselines.json", {"metric": "chi2", "baselines": [
        {"name": name, "value": value} for name, value in zip(names, (190, 60, 55, 42))]})


def write_predictions(path, run, shift=0.0, scatter=True, boxes=16):
    phi = np.outer(np.linspace(0.3, 2, boxes), TRUTH)
    phi[phi < 2e-4] = 0
    with h5py.File(path, "w") as file:
        file.attrs.update(h=0.678, subbox_size=25.0, run=run, sigma=np.full(14, 1e-4), source="a test")
        for name, values in {"smf_true": phi, "smf_predicted": phi * (1.1 + shift), **(
                {"smf_predicted_scatter": 0.1 * phi + 1e-5} if scatter else {})}.items():
            file[name] = values
            file[name].attrs.update(unit="(Mpc/h)^-3 per bin", bin_edges=EDGES)
        file["box"], file["validation"] = np.arange(100, 100 + boxes), (np.arange(boxes) % 2).astype(int)


def write_halos(path):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        true = random.normal(10.4, 0.5, 4000)
        file["log_mass_true"], file["log_mass_predicted"] = true, true + random.normal(0, 0.2, 4000)
        file["training"], file.attrs["h"] = (np.arange(4000) % 2), 0.678


def write_catalog(path):
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        file.attrs.update(box_size=50.0, boxes=1, source="a test")
        for axis in "xyz":
            file[f"halos/{axis}"] = random.uniform(0, 50, 3000)
        file["halos/vpeak"] = 150 * random.uniform(size=3000)**(-1 / 3)


def importance(shift=0.0):
    features = ["vpeak", "vacc", "mpeak", "macc", "mvir", "spin", "halfmass_scale", "is_satellite"]
    measure = {"mean": [1.0 + shift, *[0.02] * 7], "standard_error": [0.02] * 8}
    return {"features": features, **{name: measure for name in ("decrease_of_variance_normalised", "unbiased_decrease",
                                                                "permutation")},
            "permutation_of_groups": [{"name": "velocity and mass", "mean": 1.4, "standard_error": 0.03}]}


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
        write("bad.json", {**importance(), "permutation_of_groups": []})
        self.refused(("importance", "--importance", "importance-0.json", "bad.json"), "bad.json", "importance-0.json")


if __name__ == "__main__":
    unittest.main()
