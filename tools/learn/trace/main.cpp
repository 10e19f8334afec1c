// trace: one training step of a model, node by node.
#include <algorithm>
#include <cstdio>
#include <iostream>

#include "engine/io/config.h"
#include "engine/io/setting_names.h"
#include "engine/runtime/backend.h"
#include "tools/common/command_line.h"
#include "tools/learn/trace/example.h"
#include "tools/learn/trace/graph.h"
#include "tools/learn/trace/report.h"
#include "tools/learn/trace/words.h"

namespace umbra::learn {
namespace {

struct Arguments {
  std::string model, svg, dot, perturb;
  std::vector<std::string> assignments;
  std::int64_t step = 0;
  bool interactive = false, overwrite = false;
};

// The nodes forward, then backward, one at a time, as lines on standard input ask.
void walk(const Trace& trace) {
  const std::size_t count = trace.nodes().size();
  const auto show = [&](std::size_t at) {
    const bool forward = at < count;
    const TracedNode& node = trace.nodes()[forward ? at : 2 * count - 1 - at];
    std::printf("\n%s, %zu of %zu\n%s", forward ? "forward" : "backward", forward ? at + 1 : at - count + 1,
                count, (forward ? forward_text(trace, node) : backward_text(trace, node, 4)).c_str());
    if (at + 1 == count) std::printf("      loss = %s\n", number_text(trace.loss()).c_str());
  };
  std::size_t at = 0;
  show(at);
  for (std::string line;;) {
    std::printf("n next, p previous, d details, q quit, or the number of a node: ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line)) break;
    const Command command = command_of(line, count);
    if (command.what == Command::kQuit) return;
    if (command.what == Command::kUnknown) {
      std::printf("'%s' is not one of these\n", line.c_str());
      continue;
    }
    if (command.what == Command::kDetails) {
      const TracedNode& node = trace.nodes()[at < count ? at : 2 * count - 1 - at];
      std::printf("\n%s", details_text(trace, node).c_str());
      continue;
    }
    if (command.what == Command::kNumber) at = command.number - 1;
    if (command.what == Command::kPrevious && at > 0) --at;
    if (command.what == Command::kNext && ++at == 2 * count) return;
    show(at);
  }
  std::printf("\n");
}

void run(const Arguments& arguments, const Model& model, const ExampleOptions& options) {
  for (const std::string& file : {arguments.svg, arguments.dot})
    if (!file.empty()) check_writable(file, {}, arguments.overwrite);
  const Registry registry = make_registry();
  Context context(registry, Device{});
  const Trace trace(context, example_of(context, model, options));
  const auto count = static_cast<std::int64_t>(trace.nodes().size());
  require(arguments.step <= count, "--step ", arguments.step, ": this trace has ", count, " nodes");
  const std::string title = concat("One training step of ", model.label());
  if (arguments.interactive) {
    walk(trace);
  } else if (arguments.step > 0) {
    std::printf("%s",
                details_text(trace, trace.nodes()[static_cast<std::size_t>(arguments.step - 1)]).c_str());
  } else if (arguments.perturb.empty()) {
    std::printf("%s, batch of %ld\n\n%s", title.c_str(), static_cast<long>(options.batch),
                trace_text(trace).c_str());
  }
  if (!arguments.perturb.empty()) {
    const ChangedWeight wanted = changed_weight(arguments.perturb, trace.parameters());
    std::printf("%s", change_text(trace, trace.change(wanted.parameter, wanted.element, wanted.eps)).c_str());
  }
  const Graph graph = graph_of(trace);
  if (!arguments.dot.empty()) write_text_file(arguments.dot, dot_of(graph, title));
  if (!arguments.svg.empty())
    write_text_file(arguments.svg, svg_of(graph, title,
                                          concat("The ", count,
                                                 " operations of the forward pass from top to bottom. Arrows "
                                                 "carry the shapes of what flows.")));
}

// Those of the trace and of the model.
std::vector<Setting> all_settings(ExampleOptions& options, Model& model) {
  std::vector<Setting> settings = options.settings();
  for (Setting& setting : model.settings()) settings.push_back(std::move(setting));
  return settings;
}

std::string setting_meant(const std::string& model_name, const std::string& word, Spelling spelling) {
  const std::vector<std::string> names = model_names();
  const bool known = std::find(names.begin(), names.end(), model_name) != names.end();
  const std::unique_ptr<Model> model = make_model(known ? model_name : names.front());
  ExampleOptions options;
  const std::vector<Setting> settings = all_settings(options, *model);
  return spelling == Spelling::kOtherName ? key_named(word, settings) : nearest_key(word, settings);
}

}  // namespace
}  // namespace umbra::learn

int main(int argc, char** argv) {
  using namespace umbra;
  learn::Arguments arguments;
  learn::ExampleOptions options;
  std::string models;
  for (const std::string& name : model_names()) models += (models.empty() ? "" : ", ") + name;
  ToolApp app(
      concat("One training step of a model, node by node: forward, loss, backward, with upstream × local = "
             "result.\nSettings key=value:\n",
             Config(options.settings()).help(), "and those of the model, such as model.channels=4"),
      "trace");
  app.add_option("MODEL", arguments.model, "the model: " + models)->required()->check(one_of(model_names()));
  app.add_option("settings", arguments.assignments, "settings key=value");
  app.add_option("--step", arguments.step, "show only the node with this number, with all details")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000}))
      ->default_str("");
  app.add_option(
      "--perturb", arguments.perturb,
      "change a weight and show who moves: NAME[i]=eps or NAME[i,j]=eps, e.g. fc1.weight[0,2]=0.01");
  app.add_option("--svg", arguments.svg, "draw the graph to this file");
  app.add_option("--dot", arguments.dot, "write the graph for Graphviz to this file");
  app.add_flag("--interactive", arguments.interactive,
               "one node at a time: n, p, d, q or a number, then Enter");
  add_overwrite(app, arguments.overwrite, "the file of --svg or --dot");
  app.setting_meant = [&](const std::string& word, Spelling spelling) {
    return learn::setting_meant(arguments.model, word, spelling);
  };
  return run_tool(app, argc, argv, [&] {
    const std::unique_ptr<Model> model = make_model(arguments.model);
    Config(learn::all_settings(options, *model)).set(arguments.assignments);
    learn::run(arguments, *model, options);
  });
}
