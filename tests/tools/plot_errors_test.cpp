// plot.py: every kind of bad input ends in an error message of one line, exit status 1 and no file.
#include "tests/fixtures/plot_files.h"

namespace umbra {
namespace {

using namespace testing_plot;

TEST_F(PlotTest, NamesWhatIsWrongWithAnEvaluation) {
  expect_sentence("smf --evaluation none.json", {"none.json", "cannot be read"});
  write("e.json", evaluation().dump().substr(0, 200));
  expect_sentence("smf --evaluation e.json", {"e.json", "not JSON"});
  const auto spoiled = [&](const std::string& pointer, const Json& value, const std::string& part) {
    Json bad = evaluation();
    bad[Json::json_pointer(pointer)] = value;
    write("e.json", bad.dump());
    expect_sentence("smf --evaluation e.json", {"e.json", part});
  };
  spoiled("/sigma", Json{1e-4, 0, 2e-5}, "sigma");
  spoiled("/models/1/smf_mean", Json{1e-3, nullptr, 1e-5}, "models[1].smf_mean");  // nan, as JSON writes it
  spoiled("/models/2/smf_standard_deviation", Json{1e-3}, "models[2].smf_standard_deviation");
  spoiled("/models", Json::array(), "models");
  spoiled("/models/0/residual_standard_deviation", Json{1, -1, 1}, "models[0].residual_standard_deviation");
  spoiled("/observed_smf/phi", Json{1, 2}, "observed_smf.phi");
  spoiled("/h", 0, "h");
  Json bad = evaluation();
  bad.erase("bin_edges_log10_msun");
  write("e.json", bad.dump());
  expect_sentence("smf --evaluation e.json", {"e.json", "bin_edges_log10_msun", "missing"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithMetrics) {
  expect_sentence("loss --run nowhere", {"nowhere", "cannot be read"});
  write("m.csv", "epoch,step,split,loss,chi2,lr,grad_norm,seconds\n");
  expect_sentence("loss --run m.csv", {"m.csv", "no training step"});
  write("m.csv", "epoch,step,split,loss\n1,1,train,3\n");
  expect_sentence("loss --run m.csv", {"m.csv", "chi2"});
  write("m.csv", metrics(2, 9) + "3,nine,train,1,1,1,1,1\n");
  expect_sentence("loss --run m.csv", {"m.csv", "line 12"});
  write("m.csv", metrics(2, 9));
  write("other.csv", "epoch,step,split,mse,lr\n1,1,train,3,1\n");
  expect_sentence("loss --run m.csv other.csv", {"other.csv", "mse", "chi2"});
  write("baselines.json", R"({"baselines": [{"name": "mean SMF"}]})");
  expect_sentence("loss --run m.csv", {"baselines.json", "mean SMF"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithACatalog) {
  write("c.h5", "not HDF5");
  expect_sentence("slice --data c.h5", {"c.h5", "HDF5"});
  write_catalog(at("good.h5"), catalog());
  write("c.h5", contents(at("good.h5")).substr(0, 3000));
  expect_sentence("slice --data c.h5", {"c.h5", "HDF5"});
  expect_sentence("slice --data good.h5 --subbox-size 30", {"good.h5", "--subbox-size"});
  expect_sentence("slice --data good.h5 --box 16", {"good.h5", "0 to 15"});
  Catalog without = catalog();
  without.columns.erase("vpeak");
  without.columns["mvir"] = std::vector<double>(40, 1e12);
  write_catalog(at("c.h5"), without);
  expect_sentence("slice --data c.h5", {"c.h5", "halos/vpeak"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithPredictions) {
  write_predictions(at("p.h5"), 4, 3, 0);
  expect_sentence("predictions --predictions p.h5", {"p.h5", "validation"});
  Hdf5File file = Hdf5File::create(at("p.h5"));
  file.write<float>("smf_predicted", std::vector<float>(6, 1.0F), {2, 3});
  file.commit();
  expect_sentence("predictions --predictions p.h5", {"p.h5", "smf_true", "stellar_mass"});
}

TEST_F(PlotTest, NamesWhatIsWrongWithWhatForestWrites) {
  write_halos(at("h.h5"), 100, 100);
  expect_sentence("halos --predictions h.h5", {"h.h5", "not in the fit"});
  write_predictions(at("p.h5"), 4, 3, 1);
  expect_sentence("halos --predictions p.h5", {"p.h5", "log_mass_true"});
  expect_sentence("importance --importance none.json", {"none.json", "cannot be read"});
  const auto spoiled = [&](const std::string& pointer, const Json& value, const std::string& part) {
    Json bad = importance();
    bad[Json::json_pointer(pointer)] = value;
    write("i.json", bad.dump());
    expect_sentence("importance --importance i.json", {"i.json", part});
  };
  spoiled("/features", "vpeak", "features");
  spoiled("/permutation/mean", Json{1.0, 2.0}, "permutation.mean");
  spoiled("/permutation_of_groups/0/name", 3, "permutation_of_groups");
  spoiled("/unbiased_decrease/standard_error", Json{1.0, nullptr, 0}, "unbiased_decrease.standard_error");
}

TEST_F(PlotTest, FiguresGoThroughLinksAndFilesSayHowOldTheyAre) {
  write("e.json", evaluation().dump());
  write("real.png", "old");
  fs::permissions(at("real.png"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real.png", at("linked.png"));
  EXPECT_EQ(plot("smf --evaluation e.json --out linked"), 1);
  EXPECT_EQ(complaint_, "plot.py: linked.png: cannot be written: it exists; --overwrite replaces it\n");
  EXPECT_EQ(contents(at("real.png")), "old");
  EXPECT_EQ(plot("smf --evaluation e.json --out linked --overwrite"), 0) << complaint_;
  EXPECT_TRUE(fs::is_symlink(at("linked.png")));
  EXPECT_GT(fs::file_size(at("real.png")), 15000U);
  EXPECT_EQ(fs::status(at("real.png")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("/dev/null", at("device.png"));
  EXPECT_EQ(plot("smf --evaluation e.json --out device"), 1);
  EXPECT_NE(complaint_.find("not a regular file"), std::string::npos) << complaint_;
  EXPECT_EQ(plot_from_shell("smf --evaluation e.json --out full >/dev/full; echo $? >status; true"), 0);
  EXPECT_EQ(contents(at("status")), "1\n");
  expect_no_temporary();
  fs::copy(at("e.json"), at("in.png"));
  fs::create_symlink("e.json", at("input.png"));
  for (const char* arguments :
       {"--evaluation in.png --out in", "--evaluation e.json --out input", "--evaluation e.json --out ''"})
    EXPECT_EQ(plot(concat("smf ", arguments)), 1) << complaint_;
  EXPECT_EQ(contents(at("e.json")), contents(at("in.png")));
  Json newer = evaluation();
  newer["format_version"] = 7;
  write("e.json", newer.dump());
  expect_sentence("smf --evaluation e.json", {"e.json", "format version 7", "up to 1"});
}

TEST_F(PlotTest, TellsWrongUsageFromWrongInput) {
  EXPECT_EQ(plot("--help"), 0);
  for (const char* command :
       {"smf", "table", "changes", "loss", "boxes", "predictions", "halos", "importance"})
    EXPECT_NE(said_.find(command), std::string::npos) << command;
  EXPECT_EQ(plot("slice -h"), 0);
  EXPECT_NE(said_.find("Mpc/h"), std::string::npos);
  EXPECT_EQ(plot(""), 2);
  EXPECT_EQ(plot("smf --out x"), 2);
  EXPECT_EQ(plot("slice --data c.h5 --out x --voxels 0"), 2);
  write("e.json", evaluation().dump());
  EXPECT_EQ(plot("smf --evaluation e.json --out missing/folder/x"), 1);
  EXPECT_NE(complaint_.find("plot.py: missing/folder/x"), std::string::npos) << complaint_;
  fs::create_directories(folder_ / "taken.png");
  EXPECT_EQ(plot("smf --evaluation e.json --out taken"), 1);
  expect_no_temporary();
}

}  // namespace
}  // namespace umbra
