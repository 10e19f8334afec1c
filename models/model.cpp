#include "models/model.h"

#include "engine/base/error.h"

namespace umbra {

#define MODEL(name) std::unique_ptr<Model> name##_model();
#include "models/models.def"
#undef MODEL

namespace {

std::vector<std::unique_ptr<Model>> all_models() {
  std::vector<std::unique_ptr<Model>> models;
#define MODEL(name) models.push_back(name##_model());
#include "models/models.def"
#undef MODEL
  return models;
}

}  // namespace

std::unique_ptr<Model> make_model(std::string_view name) {
  std::string known;
  for (std::unique_ptr<Model>& model : all_models()) {
    if (model->name() == name) return std::move(model);
    known += concat(known.empty() ? "" : ", ", model->name());
  }
  fail("there is no model ", name, "; there are ", known);
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const std::unique_ptr<Model>& model : all_models()) names.emplace_back(model->name());
  return names;
}

}  // namespace umbra
