// forest: predicts stellar masses from halo properties with a random forest, one halo at a time.
#include "tools/common/command_line.h"
#include "tools/forest/commands.h"

int main(int argc, char** argv) {
  umbra::ToolApp app("Random forests: stellar masses from the properties of halos (Nadler & To 2018).",
                     "forest");
  app.require_subcommand(1);
  umbra::RunCommand run;
  umbra::add_fit_command(app, run);
  umbra::add_search_command(app, run);
  umbra::add_predict_command(app, run);
  umbra::add_importance_command(app, run);
  umbra::add_export_command(app, run);
  return umbra::run_tool(app, argc, argv, [&] { run(); });
}
