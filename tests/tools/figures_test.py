"""The functions of plot.py: numbers, units and names in its figures, and how it finds a Python that can draw them."""
import json
import os
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from figures import evaluation, interpreter, mass_functions, names, predictions, rows, runs, style, tables, training
from figures import models as evaluated_models
from figures.files import PlotError

EDGES = np.array([10.2, 10.3, 10.4])
PER_BIN = "(Mpc/h)^-3 per bin"


def model(name, run="", **more):
    return {"name": name + (f" ({run})" if run else ""), **({"run": run} if run else {}),
            "smf_mean": np.array([2e-3, 1e-3]), "smf_standard_deviation": np.array([1e-3, 5e-4]),
            "residual_standard_deviation": np.array([4e-4, 2e-4]), **more}


class Units(unittest.TestCase):
    def test_densities_per_bin_become_densities_per_dex(self):
        width, unit = names.per_dex(PER_BIN, EDGES)
        np.testing.assert_allclose(width, 0.1)
        self.assertEqual(unit, "$h$$^{3}$ Mpc$^{-3}$ dex$^{-1}$".replace("$$", ""))
        ones, same = names.per_dex("(Mpc/h)^-3 dex^-1", EDGES)
        np.testing.assert_array_equal(ones, 1)
        self.assertEqual(same, unit)

    def test_observed_points_are_converted_to_the_catalogs_h(self):
        table = {"h": 0.7, "low_log10_msun": [10.2], "high_log10_msun": [10.3], "phi": [3.43e-3],
                 "error_low": [3.43e-4], "error_high": [6.86e-4]}
        observed = evaluation.read_observed("e.json", {"h": 0.35, "observed_smf": table})
        np.testing.assert_allclose(observed.log_mass, 10.25 + np.log10(4))  # M* is proportional to h^-2
        np.testing.assert_allclose(observed.phi, 1e-2)  # 0.7^3 = 0.343
        np.testing.assert_allclose(observed.errors, [[1e-3], [2e-3]])
        self.assertIsNone(evaluation.read_observed("e.json", {"observed_smf": table}))
        self.assertIsNone(evaluation.read_observed("e.json", {"h": 0.7}))

    def test_axes_are_labelled_with_h(self):
        self.assertIn("h = 0.678", names.mass(0.678))
        self.assertNotIn("h =", names.mass(None))
        self.assertEqual(names.pretty("Mpc/h"), "$h^{-1}$ Mpc")


class Names(unittest.TestCase):
    def test_models_have_readable_names(self):
        chi2 = {"mean": 42.83, "standard_error": 2.7}
        labels = mass_functions.model_labels([model("mean SMF"), model("um_resnet C=20", "runs/a"),
                                              model("mlp 64-32", "runs/b", chi2=chi2)])
        self.assertEqual(labels[:2], ["mean of training boxes", "UM ResNet, $C = 20$"])
        self.assertEqual(labels[2], "MLP 64-32: $\\chi^2$ = 42.8 \u00b1 2.7")
        ensemble = [model("um_resnet C=20, mean prediction", "runs/e", seeds={"count": 5})]
        self.assertEqual(mass_functions.model_labels(ensemble), ["UM ResNet, $C = 20$, mean of 5 seeds"])
        forest = [model("forest, distribution per halo (f.h5)", forest="f.h5")]
        self.assertEqual(mass_functions.model_labels(forest), [r"random forest, $P(M_*\,|\,\mathrm{halo})$"])
        self.assertEqual(mass_functions.model_labels(ensemble, ["um_resnet C=20, our recipe, Vpeak alone"]),
                         [r"UM ResNet, $C = 20$, our recipe, $V_\mathrm{peak}$ alone, mean of 5 seeds"])
        for target, written in [("M*", "$M_*$"), ("log10 M*", r"$\log_{10} M_*$")]:
            self.assertEqual(names.readable("forest, mean prediction per halo, of " + target),
                             "random forest, mean per halo, of " + written)

    def test_equal_names_are_followed_by_the_folder(self):
        labels = mass_functions.model_labels([model("um_resnet C=20", "runs/a"), model("um_resnet C=20", "runs/b_$1"),
                                              model("um_resnet C=100", "runs/c")])
        self.assertEqual(labels, ["UM ResNet, $C = 20$ (a)", r"UM ResNet, $C = 20$ (b_\$1)", "UM ResNet, $C = 100$"])
        self.assertEqual(names.distinct(["m", "m"], ["1/run", "2/run"]), ["m (1/run)", "m (2/run)"])

    def test_numbers_have_the_digits_that_their_errors_leave(self):
        self.assertEqual([names.rounded(42.834, error) for error in (0.21, 2.7, 27, 0)],
                         ["42.83", "42.8", "43", "42.8"])
        self.assertEqual(names.with_error(3.638e10, 1.5e9), "(3.64 \u00b1 0.15)" + r"$\times 10^{10}$")
        self.assertEqual(names.with_error(-9.8e12, 1.8e12, "+"), "(\u22129.8 \u00b1 1.8)" + r"$\times 10^{12}$")
        self.assertEqual(names.rounded(-3.14159, 0.4, "+"), "\u22123.14")

    def test_long_labels_are_broken_between_words_but_not_in_formulas(self):
        label = r"random forest, $P(M_*\,|\, \mathrm{halo})$ of a long name"
        self.assertEqual(style.broken(label, 20).replace("\n", " "), label)
        self.assertIn(r"$P(M_*\,|\, \mathrm{halo})$", style.broken(label, 20))
        self.assertEqual(style.broken("one two three", 8), "one two\nthree")
        self.assertEqual(style.broken("mean of 3 seeds", 9), "mean of\n3\u00a0seeds")
        self.assertEqual(style.broken(r"a \$1 b_$x y$", 40), r"a \$1 b_$x y$")

    def test_axes_fill_the_figure_below_a_wide_legend(self):
        with matplotlib.rc_context(style.STYLE):
            figure, ax = plt.subplots(figsize=(style.HALF_PAGE, 2))
            self.addCleanup(plt.close, figure)
            legend = style.legend_above(ax, [plt.Line2D([], [], label=f"a model with a name {i}") for i in range(6)])
            box = style.fit_width(figure)
        self.assertEqual((len(legend.get_texts()), box.width), (6, style.HALF_PAGE))
        self.assertGreater(legend.get_window_extent().width / figure.dpi, 0.8 * style.HALF_PAGE)  # in two columns
        self.assertGreater(ax.get_position().x1, 0.95)
        self.assertLess(ax.get_position().x0, 0.1)

    def test_columns_have_readable_names(self):
        self.assertIn("V_\\mathrm{peak}", names.column("vpeak"))
        self.assertEqual(names.column("my_column"), "my column")


class MassFunctions(unittest.TestCase):
    def test_of_the_baselines_the_mean_and_the_best_are_shown(self):
        models = [model("mean SMF", baseline=True), model("ridge", baseline=True), model("best", baseline=True),
                  model("forest"), model("net", "runs/a")]
        self.assertEqual([shown["name"] for shown in evaluation.shown(models, "best")],
                         ["mean SMF", "best", "forest", "net (runs/a)"])
        older = [model("mean SMF"), model("ridge"), model("net")]
        self.assertEqual(evaluation.shown(older, None), older)
        self.assertEqual(names.readable("Gaussian process on the parameters"), "Gaussian process, parameters")
        self.assertEqual(names.readable("ridge on the histogram of the input"), "ridge regression")

    truth, sigma = np.array([1.6e-3, 4e-4]), np.array([1e-4, 5e-5])

    def axes(self, draw, *arguments):
        figure, ax = plt.subplots()
        self.addCleanup(plt.close, figure)
        draw(ax, EDGES, self.truth, *arguments)
        return ax

    def test_densities_are_per_dex(self):
        result = {"smf_unit": PER_BIN, "models": [model("mean SMF")], "labels": ["mean"]}
        ax = self.axes(mass_functions.draw_densities, np.zeros(2), None, result)
        np.testing.assert_allclose(ax.lines[0].get_ydata(), [2e-2, 1e-2])
        self.assertIn("dex", ax.get_ylabel())

    def test_residuals_have_their_scatter_and_the_poisson_noise(self):
        result = {"smf_unit": PER_BIN, "models": [model("mean SMF")], "subbox_size_mpc_per_h": 25,
                  "validation_boxes": 16}
        ax = self.axes(mass_functions.draw_residuals, self.sigma, result)
        scatter, error = ax.collections
        below, above = [noise.get_data().values for noise in ax.patches]
        np.testing.assert_allclose(above, np.sqrt(self.truth / 25**3) / self.sigma)
        np.testing.assert_allclose(below, -above)
        # The mean is (2e-3 - 1.6e-3) / 1e-4 = 4, the scatter 4e-4 / 1e-4 = 4.
        np.testing.assert_allclose(scatter.get_segments()[0][:, 1], [0, 8], atol=1e-9)
        np.testing.assert_allclose(error.get_segments()[0][:, 1], [3, 5])
        per_dex = {**result, "smf_unit": "(Mpc/h)^-3 dex^-1"}
        dex = self.axes(lambda ax, edges, truth: mass_functions.draw_residuals(ax, edges, truth / 0.1, self.sigma / 0.1,
                                                                               per_dex)).patches[1]
        np.testing.assert_allclose(dex.get_data().values, above)


class Models(unittest.TestCase):
    """Rows of tables: the seeds of a forest and of a network, and differences."""

    def forest(self, path, boxes):
        boxes = np.array(boxes, dtype=float)
        return model("forest, distribution per halo (" + path + ")", forest=path, chi2={
            "mean": boxes.mean(), "standard_error": boxes.std(ddof=1) / 2, "median": float(np.median(boxes)),
            "of_box": list(boxes)})

    def test_forests_whose_files_differ_in_a_number_are_seeds_of_one(self):
        models = [self.forest("a/log-1.h5", [1, 2, 3, 6]), self.forest("a/linear-1.h5", [9, 9, 9, 9]),
                  self.forest("a/log-2.h5", [3, 2, 5, 6])]
        log, linear = joined = evaluated_models.join_forests(models)
        self.assertIs(linear, models[1])
        self.assertEqual(log["seeds"]["count"], 2)
        self.assertEqual(log["chi2"]["of_box"], [2, 2, 4, 6])  # means of the seeds, box by box
        self.assertEqual((log["chi2"]["mean"], log["chi2"]["median"]), (3.5, 3))
        self.assertAlmostEqual(log["chi2"]["standard_error"], np.std([2, 2, 4, 6], ddof=1) / 2)
        self.assertAlmostEqual(log["seeds"]["chi2"]["scatter"], np.std([3, 4], ddof=1))
        np.testing.assert_allclose(log["smf_mean"], [2e-3, 1e-3])
        way = r"random forest, $P(M_*\,|\,\mathrm{halo})$"
        self.assertEqual(evaluated_models.model_names(joined), [f"{way} (log)", f"{way} (linear-1.h5)"])

    def test_the_seeds_of_a_network_and_their_mean_prediction_are_two_rows(self):
        score = lambda mean: {"mean": mean, "standard_error": 1.0}
        seeds = {"count": 2, "chi2": {"mean": 50.0, "scatter": 9.0}}
        network = {"name": "um_resnet C=20, mean prediction (r)", "run": "r", "chi2": score(40.0), "seeds": seeds,
                   "members": [{"chi2": score(48.0)}, {"chi2": score(52.0)}]}
        alone, together = rows.rows_of([network], "chi2")
        self.assertEqual((alone.name, alone.mean, alone.error), ("UM ResNet, $C = 20$, 2 seeds", 50, 1))
        self.assertAlmostEqual(alone.seeds, np.std([48, 52], ddof=1))
        self.assertEqual((together.name, together.mean, together.seeds),
                         ("UM ResNet, $C = 20$, mean prediction of 2 seeds", 40, None))
        del network["members"]  # the folds of a cross-validation, joined
        network["seeds"] = {"count": 2, "chi2": {**score(51.0), "scatter": 3.0}}
        alone, _ = rows.rows_of([network], "chi2")
        self.assertEqual((alone.mean, alone.error, alone.seeds), (51, 1, 3))
        network["seeds"] = seeds  # a table that holds the scatter only
        only, = rows.rows_of([network], "chi2")
        self.assertEqual((only.mean, only.seeds), (40, 9))

    def test_differences_of_joined_forests_are_paired(self):
        joined = evaluated_models.join_forests([self.forest("f1.h5", [1, 2, 3]), self.forest("f2.h5", [3, 4, 5])])[0]
        reference = self.forest("g.h5", [1, 1, 4])
        mean, error = rows.difference_of(joined, reference, "chi2", "e.json")
        minus = np.array([2, 3, 4]) - [1, 1, 4]
        self.assertAlmostEqual(mean, minus.mean())
        self.assertAlmostEqual(error, minus.std(ddof=1) / np.sqrt(3))
        self.assertIsNone(rows.difference_of(reference, reference, "chi2", "e.json"))

    def test_models_are_chosen_by_name_or_folder(self):
        models = [model("mean SMF"), model("um_resnet C=20", "runs/a"), model("um_resnet C=20", "runs/b")]
        self.assertEqual(evaluated_models.chosen(models, None, "e.json"), models)
        self.assertEqual(evaluated_models.chosen(models, ["runs/b", "mean"], "e.json"), [models[0], models[2]])
        with self.assertRaisesRegex(PlotError, "e.json: .* 'C=200'; it has mean SMF; um_resnet C=20"):
            evaluated_models.chosen(models, ["C=200"], "e.json")

    def test_the_number_of_the_papers_forest_is_that_of_masses(self):
        axes, way = plt.figure().subplots(), "forest, mean prediction per voxel, of "
        shown = [types.SimpleNamespace(model={"name": way + target}) for target in ("M*", "log10 M*")]
        tables.draw_paper(axes, shown, [3, 4], "table.json")
        self.assertEqual([(list(line.get_xdata()), list(line.get_ydata())) for line in axes.lines], [([272], [3])])

    def test_a_difference_far_beyond_the_others_is_cut(self):
        low, high = tables.limits_of(np.array([[-2, 3], [-4, -1], [1, 5], [80, 300]]))
        self.assertTrue(-6 < low < -4 and 5 < high < 8, (low, high))
        low, high = tables.limits_of(np.array([[-20, -3], [-9, -1]]))
        self.assertTrue(low < -20 and 0 < high < 3, (low, high))
        low, high = tables.limits_of(np.array(4 * [[-1, 1]] + 3 * [[3, 6]] + 6 * [[80, 140]]))
        self.assertTrue(-2 < low < -1 and 6 < high < 8, (low, high))  # most of the rows can be read


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.run_folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.run_folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_baselines_may_be_missing(self):
        self.assertEqual(runs.read_baselines(self.run_folder, "chi2"), [])
        self.write("baselines.json", json.dumps({"metric": "chi2", "baselines": [{"name": "mean SMF", "value": 5}]}))
        self.assertEqual(runs.read_baselines(self.run_folder, "chi2"), [("mean SMF", 5.0)])
        self.assertEqual(runs.read_baselines(os.path.join(self.run_folder, "metrics.csv"), "chi2"), [("mean SMF", 5.0)])
        self.assertEqual(runs.read_baselines(self.run_folder, "mse"), [])
        self.write("baselines.json", json.dumps({"baselines": [{"name": "mean SMF", "value": None}]}))
        self.assertRaises(PlotError, runs.read_baselines, self.run_folder, "chi2")

    def test_the_constant_the_best_baseline_and_the_noise_are_shown(self):
        every = [("mean SMF", 200.0), ("ridge", 60.0), ("best", 50.0), ("worse", 70.0),
                 ("Poisson noise of the counts", 42.0)]
        self.assertEqual(training.shown(every), [every[0], every[2], every[4]])
        self.assertEqual(training.shown(every[:1]), every[:1])
        self.assertEqual(training.shown([]), [])

    @unittest.skipIf(runs.tomllib is None, "this Python has no tomllib")
    def test_runs_that_differ_in_their_seeds_are_grouped(self):
        def config(name, channels, seed):
            self.write(f"{name}/config.toml", f"[model]\nname = 'm'\nchannels = {channels}\n[train]\nseed = {seed}\n")
            return os.path.join(self.run_folder, name)
        a, b, c, again = config("a", 20, 1), config("b", 100, 1), config("c", 20, 2), config("again", 20, 1)
        bare = os.path.join(self.run_folder, "bare")
        self.assertEqual(runs.grouped([a, b, c, bare, again]), [[a, c], [b], [bare], [again]])

    def test_the_mean_and_the_range_of_seeds_are_drawn_as_far_as_all_are_trained(self):
        figure, ax = plt.subplots()
        self.addCleanup(plt.close, figure)
        group = types.SimpleNamespace(colour="red")
        training.draw_group(ax, group, [(np.array([1, 2, 3]), np.array([6.0, 4.0, 3.0])),
                                        (np.array([1, 2]), np.array([8.0, 2.0]))])
        longer, _, mean = ax.lines
        np.testing.assert_array_equal(mean.get_xydata(), [[1, 7], [2, 3]])
        np.testing.assert_array_equal(longer.get_xydata(), [[2, 4], [3, 3]])
        corners = ax.collections[0].get_paths()[0].vertices
        self.assertEqual(sorted(set(corners[corners[:, 0] == 2][:, 1])), [2, 4])

    def test_equal_baselines_are_drawn_once(self):
        figure, ax = plt.subplots()
        self.addCleanup(plt.close, figure)
        handles = training.draw_baselines(ax, [[("mean SMF", 228.03)], [("mean SMF", 228.03)], []])
        self.assertEqual([handle.get_label() for handle in handles], ["mean of training boxes: 228"])
        self.assertEqual([line.get_ydata()[0] for line in ax.lines], [228.03])
        training.draw_baselines(ax, [[("mean SMF", 1.0)], [("mean SMF", 2.0)]])
        self.assertEqual([line.get_ydata()[0] for line in ax.lines], [228.03, 1.0, 2.0])

    def test_every_baseline_has_a_line(self):
        figure, ax = plt.subplots()
        self.addCleanup(plt.close, figure)
        self.assertEqual(len(training.draw_baselines(ax, [[(f"model {i}", 1.0 + i) for i in range(8)]])), 8)
        self.assertEqual(len(ax.lines), 8)

    @unittest.skipIf(runs.tomllib is None, "this Python has no tomllib")
    def test_a_run_is_called_by_its_model(self):
        self.assertEqual(runs.model_of(self.run_folder), "")
        self.write("config.toml", "[model]\nname = 'um_resnet'\nchannels = 100\n")
        self.assertEqual(names.readable(runs.model_of(self.run_folder)), "UM ResNet, $C = 100$")
        for blocks, label in (("residual", "2D UM ResNet, $C = 8$"), ("plain", "2D network, $C = 8$")):
            self.write("config.toml", f"[model]\nname = 'um_resnet2d'\nchannels = 8\nblocks = '{blocks}'\n")
            self.assertEqual(names.readable(runs.model_of(self.run_folder)), label)
        self.write("config.toml", "[model]\nname = 'um_dense'\ndropout = 0.0\n")
        self.assertEqual(names.readable(runs.model_of(self.run_folder)), "fully connected")
        self.write("config.toml", "[model]\nname = 'mlp'\nhidden = [64, 32]\n")
        self.assertEqual(runs.model_of(self.run_folder), "mlp 64-32")
        self.write("config.toml", "[model\n")
        self.assertEqual(runs.model_of(self.run_folder), "")

    def test_the_seeds_of_an_ensemble_are_in_order(self):
        self.assertEqual(runs.members(self.run_folder), [self.run_folder])
        for seed in (10, 2):
            self.write(f"seed-{seed}/metrics.csv", "")
        self.assertEqual([os.path.basename(run) for run in runs.members(self.run_folder)], ["seed-2", "seed-10"])
        self.write("metrics.csv", "")  # a run; its subfolders are not its own
        self.assertEqual(runs.members(self.run_folder), [self.run_folder])

    def test_huge_first_epochs_are_cut(self):
        def top(first):
            figure, ax = plt.subplots()
            self.addCleanup(plt.close, figure)
            rows = np.array([[epoch, epoch, value, 1] for epoch, value in enumerate([first, 80, 60, 50])], dtype=float)
            ax.plot(rows[:, 0], rows[:, 2])
            return training.limit_metric(ax, [(rows[:, 0], rows[:, 2])], [200.0]), ax.get_ylim()[1]
        self.assertEqual(top(1e11), (1e11, 2000))
        beyond, highest = top(1e4)
        self.assertTrue(beyond == 0 and highest > 1e4, (beyond, highest))

    def test_a_rate_that_changes_at_every_step_has_no_steps(self):
        self.assertTrue(training.changes_in_steps(np.repeat([0.1, 0.001], 20)))
        self.assertFalse(training.changes_in_steps(np.linspace(1, 0, 8)))
        self.assertFalse(training.changes_in_steps(np.linspace(1, 0, 100)))

    def test_a_run_that_diverged_is_drawn(self):
        figure, ax = plt.subplots()
        self.addCleanup(plt.close, figure)
        rows = np.array([[1, 1, 80, 1], [2, 2, np.nan, 1], [3, 3, np.nan, 1]], dtype=float)
        training.limit_metric(ax, [(rows[:, 0], rows[:, 2])], [])
        self.assertEqual(ax.get_yscale(), "log")


class Predictions(unittest.TestCase):
    def test_ticks_within_a_decade_and_over_several(self):
        for one, largest, ticks in ((6e-4, 9e-4, [0, 7e-4]), (1.5e-4, 6e-4, [-2e-4, 0, 2e-4, 5e-4]),
                                    (6e-4, 2e-2, [0, 1e-3, 1e-2])):
            figure, ax = plt.subplots()
            self.addCleanup(plt.close, figure)
            predictions.symmetric_log(ax, one, (-2.5e-4, largest))
            np.testing.assert_allclose(ax.get_xticks(), ticks)


class Interpreter(unittest.TestCase):
    def test_a_python_without_the_packages_is_not_taken(self):
        with mock.patch.object(os, "execve") as execve, \
             mock.patch.object(interpreter, "has_packages", lambda python: python == "good"):
            with self.assertRaises(SystemExit):
                interpreter.continue_elsewhere("h5py", ["bad"])
            execve.assert_not_called()
            with self.assertRaises(SystemExit):  # execve does not return
                interpreter.continue_elsewhere("h5py", ["bad", "good"])
            self.assertEqual(execve.call_args[0][:2], ("good", ["good", *sys.argv]))
            with mock.patch.dict(os.environ, execve.call_args[0][2], clear=True), self.assertRaises(SystemExit):
                interpreter.continue_elsewhere("h5py", ["good"])  # no endless search
            self.assertEqual(execve.call_count, 1)
        self.assertFalse(interpreter.has_packages("/bin/false"))
        self.assertFalse(interpreter.has_packages("/no/python3"))
        self.assertTrue(interpreter.has_packages(sys.executable))

    def test_the_message_contains_the_command_that_installs_them(self):
        with self.assertRaises(SystemExit) as stopped:
            interpreter.continue_elsewhere("h5py", [])
        message = stopped.exception.code
        self.assertRegex(message, r"^plot\.py: \S+ lacks the module h5py, ")
        self.assertTrue(message.endswith(interpreter.install_command()))
        self.assertNotIn("\n", message)

    def command(self, apt, root, venv, managed):
        with mock.patch.object(interpreter.shutil, "which", lambda name: "/usr/bin/apt-get" if apt else None), \
             mock.patch.object(os, "geteuid", lambda: 0 if root else 1000), \
             mock.patch.object(sys, "base_prefix", "/other" if venv else sys.prefix), \
             mock.patch.object(sys, "executable", "/my python/python3"), \
             mock.patch.object(os.path, "exists", lambda path: managed):
            return interpreter.install_command()

    def test_the_command_suits_the_system(self):
        apt = "apt-get install python3-matplotlib python3-h5py"
        self.assertEqual(self.command(apt=True, root=True, venv=False, managed=True), apt)
        self.assertEqual(self.command(apt=True, root=False, venv=False, managed=True), "sudo " + apt)
        pip = "'/my python/python3' -m pip install matplotlib h5py"
        self.assertEqual(self.command(apt=True, root=False, venv=True, managed=True), pip)
        self.assertEqual(self.command(apt=False, root=False, venv=False, managed=False), pip)
        self.assertEqual(self.command(apt=False, root=False, venv=False, managed=True),
                         "'/my python/python3' -m venv .venv && .venv/bin/pip install matplotlib h5py")

    def test_an_active_virtual_environment_is_tried_first(self):
        with tempfile.TemporaryDirectory() as folder:
            python = os.path.join(folder, "bin", "python3")
            os.makedirs(os.path.dirname(python))
            os.symlink("/bin/true", python)
            with mock.patch.dict(os.environ, {"VIRTUAL_ENV": folder, "PATH": "/usr/bin:/usr/bin"}):
                found = interpreter.candidates()
        self.assertEqual(found[0], python)
        self.assertEqual(len(found), len(set(found)))
        self.assertNotIn(sys.executable, found)


if __name__ == "__main__":
    unittest.main()
