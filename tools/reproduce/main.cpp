// reproduce: the paper from a catalog to its table and figures, or the table of the CAMELS boxes, in parts that are
// commands of the other tools.
// See docs/reproduce.md.
#include "tools/common/command_line.h"
#include "tools/reproduce/camels.h"
#include "tools/reproduce/pages.h"
#include "tools/reproduce/paper.h"

namespace {

// The options of --camels. Returns that of its folder.
CLI::Option* add_camels(umbra::ToolApp& app, umbra::CamelsTableOptions& camels) {
  CLI::Option* folder =
      app.add_option("--camels", camels.folder,
                     "instead of the paper: the table of real boxes by cross-validation, from "
                     "this folder of CAMELS group catalogs");
  const auto add = [&](const char* name, auto& value, const char* meaning) {
    return app.add_option(name, value, meaning)->needs(folder);
  };
  add("--parameters", camels.parameters,
      "the table of the boxes' parameters; default: the only Cosmo*.txt in --camels");
  add("--folds", camels.folds, "of the cross-validation")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1000}));
  return folder;
}

}  // namespace

int main(int argc, char** argv) {
  umbra::PaperOptions paper;
  umbra::CamelsTableOptions camels;
  std::vector<std::string> pages;
  std::string out;
  bool overwrite = false, dry_run = false;
  umbra::ToolApp app(
      "Reproduce Nadler & To (2018) on a catalog: table, figures and a report; or the table of real boxes.",
      "reproduce");
  CLI::Option* data =
      app.add_option("--data", paper.data,
                     "catalog (HDF5) with stellar masses; without it a mock universe is made in --out");
  CLI::Option* boxes = add_camels(app, camels)->excludes(data);
  CLI::Option* folder =
      app.add_option("--out", out, "folder of the results; a folder with a reproduction is continued");
  CLI::Option* into =
      app.add_option("--pages", pages,
                     "instead of --out: write the tables of bench/results into these pages of the repository")
          ->excludes(data)
          ->excludes(boxes)
          ->excludes(folder);
  app.add_option("--rows", paper.rows, "some networks of the table by name; default: all")->delimiter(',');
  app.add_option("--seeds", paper.seeds, "networks and forests of every row")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}));
  app.add_option("--channels", paper.channels, "channels C of the ResNet, a row for each")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{4096}))
      ->excludes(boxes);
  app.add_option("--trees", paper.trees, "numbers of trees in the forest's grid")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{65536}))
      ->excludes(boxes);
  app.add_option("--epochs", paper.epochs, "of every training; 0: those of its configuration")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  app.add_flag("!--no-figures", paper.figures, "leave out the figures, which need Python with matplotlib")
      ->excludes(boxes);
  app.add_flag("--dry-run", dry_run, "print all commands and what is left, and stop")->excludes(into);
  umbra::add_overwrite(app, overwrite, "what other commands or other data have made in --out");
  app.final_callback([&] {
    if (out.empty() && pages.empty()) throw CLI::RequiredError("--out");
  });
  return umbra::run_tool(app, argc, argv, [&] {
    if (!pages.empty()) return umbra::write_pages(umbra::places_of(argv[0], out), pages);
    if (!camels.folder.empty()) {
      camels.seeds = paper.seeds;
      camels.epochs = paper.epochs;
      camels.rows = paper.rows;
      return umbra::reproduce_camels(camels, umbra::places_of(argv[0], out), overwrite, dry_run);
    }
    umbra::reproduce_paper(paper, umbra::places_of(argv[0], out), overwrite, dry_run);
  });
}
