// Model: a kind of network that can be had by name, with the options it has as settings. A new one is its two
// files and its line in models.def: the header has the network and a struct of typed options, the source ends
// in the factory `std::unique_ptr<Model> NAME_model()`.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/setting.h"
#include "engine/nn/module.h"

namespace umbra {

/// What a network maps: one sample, without the batch, to so many numbers.
struct SampleShape {
  Shape input;  // e.g. [1, 25, 25, 25]: channels, then spatial extents
  std::int64_t outputs = 1;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual std::string_view name() const = 0;
  /// What it is, in one line for --help.
  virtual std::string_view meaning() const = 0;
  /// The options, keys "model.…", bound to this object.
  virtual std::vector<Setting> settings() = 0;
  /// The name with what tells one such network from another: "um_resnet C=20".
  virtual std::string label() const = 0;
  /// Samples of the size it is known for, for benchmarks and for the tests of every model.
  virtual SampleShape example() const = 0;
  /// A network with these options. Throws Error where it cannot take samples of that shape.
  virtual std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const = 0;
  virtual std::unique_ptr<Model> clone() const = 0;
};

/// The model called `name` with its default options. Throws Error naming those there are.
std::unique_ptr<Model> make_model(std::string_view name);
/// The names of all models, in the order of models.def.
std::vector<std::string> model_names();

/// A model out of a struct of options, which has
///   static constexpr std::string_view kName, kMeaning;
///   std::vector<Setting> settings();
///   std::string label() const;
///   SampleShape example() const;
///   std::unique_ptr<Module> make(Build&, const SampleShape&) const;
template <class Options>
class ModelOf final : public Model {
 public:
  explicit ModelOf(Options options = {}) : options_(std::move(options)) {}
  std::string_view name() const override { return Options::kName; }
  std::string_view meaning() const override { return Options::kMeaning; }
  std::vector<Setting> settings() override { return options_.settings(); }
  std::string label() const override { return options_.label(); }
  SampleShape example() const override { return options_.example(); }
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const override {
    return options_.make(build, shape);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<ModelOf>(options_); }

 private:
  Options options_;
};

}  // namespace umbra
