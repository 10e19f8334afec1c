// reproduce: the paper from a catalog to its table and figures, in parts that are commands of the other tools.
// See docs/reproduce.md.
#include <iostream>

#include "tools/common/command_line.h"
#include "tools/reproduce/paper.h"
#include "tools/reproduce/report.h"
#include "tools/reproduce/runner.h"

int main(int argc, char** argv) {
  umbra::PaperOptions paper;
  std::string out;
  bool overwrite = false, dry_run = false;
  umbra::ToolApp app("Reproduce Nadler & To (2018) on a catalog: table, figures and a report.", "reproduce");
  app.add_option("--data", paper.data,
                 "catalog (HDF5) with stellar masses; without it a mock universe is made in --out");
  app.add_option("--out", out, "folder of the results; a folder with a reproduction is continued")
      ->required();
  app.add_option("--seeds", paper.seeds, "networks and forests of every row")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000}));
  app.add_option("--channels", paper.channels, "channels C of the ResNet, a row for each")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{4096}));
  app.add_option("--trees", paper.trees, "numbers of trees in the forest's grid")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{65536}));
  app.add_option("--epochs", paper.epochs, "of every training; 0: those of its configuration")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
  app.add_flag("!--no-figures", paper.figures, "leave out the figures, which need Python with matplotlib");
  app.add_flag("--dry-run", dry_run, "print all commands and what is left, and stop");
  umbra::add_overwrite(app, overwrite, "what other commands or other data have made in --out");
  return umbra::run_tool(app, argc, argv, [&] {
    const umbra::Places places = umbra::places_of(argv[0], out);
    const umbra::PaperPlan plan = umbra::paper_plan(paper, places);
    umbra::Runner runner(places, plan.parts, overwrite);
    if (dry_run) {
      std::cout << runner.list();
    } else {
      runner.run();
      std::cout << umbra::write_report(plan, places, runner);
    }
  });
}
