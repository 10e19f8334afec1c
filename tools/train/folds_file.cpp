#include "tools/train/folds_file.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "data/boxes/cut.h"
#include "engine/io/atomic_file.h"
#include "engine/io/format_version.h"
#include "models/tasks/smf/smf_task.h"
#include "tools/common/reading_line.h"

namespace umbra {

void write_folds(const TrainArguments& arguments, const std::string& file) {
  check_writable(file, {{"--data", arguments.data}, {"--config", arguments.config}}, arguments.overwrite);
  const RunConfig config = resolve(arguments);
  SmfSettings settings = smf_settings(*config.task);
  require(settings.folds > 0, "--write-folds needs data.folds, the number of folds");
  const Catalog catalog = read_large_catalog(arguments.data);
  settings.subbox_size.number =
      choose_subbox_size(catalog, settings.subbox_size, arguments.data, "data.subbox_size=").size;
  const std::int64_t count = BoxCutter(catalog, settings.box_options()).count();
  const SplitRule rule = settings.split_rule();
  const std::vector<std::int64_t> fold_of =
      folds_of_boxes(count, count / catalog.boxes, rule.folds, rule.seed);
  const nlohmann::ordered_json result = {
      {"format_version", kFormatVersion}, {"source", catalog.source}, {"boxes", count}, {"folds", rule.folds},
      {"split_seed", rule.seed},          {"fold_of_box", fold_of}};
  write_text_file(file, result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  std::cout << count << " sub-boxes in " << rule.folds << " folds of";
  for (std::int64_t fold = 0; fold < rule.folds; ++fold)
    std::cout << ' ' << std::count(fold_of.begin(), fold_of.end(), fold);
  std::cout << "\nwrote " << file << '\n';
}

}  // namespace umbra
