#include "engine/io/atomic_file.h"
#include "tools/evaluate/tasks.h"

namespace umbra {

nlohmann::ordered_json options_of(Model& model) {
  nlohmann::ordered_json options;
  for (const Setting& setting : model.settings()) {
    const std::string name = setting.key.substr(setting.key.find('.') + 1);
    std::visit(
        [&](const auto* value) {
          if constexpr (std::is_same_v<decltype(value), const Precision*>)
            options[name] = name_of(*value);
          else if constexpr (requires { value->number; })
            options[name] = value->number ? nlohmann::ordered_json(*value->number) : "auto";
          else
            options[name] = *value;
        },
        setting.value);
  }
  return options;
}

void write_json(const std::string& out, const nlohmann::ordered_json& result) {
  write_text_file(out, result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace umbra
