// forest: predicts stellar masses from halo properties with a random forest, one halo at a time.
#include "engine/dist/launch.h"
#include "tools/common/command_line.h"
#include "tools/common/processes.h"
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
  app.rank = umbra::launched().rank;
  return umbra::run_tool(app, argc, argv, [&] {
    umbra::run_processes("forest", app.arguments, [&](umbra::Communicator& world) { run(world); });
  });
}
