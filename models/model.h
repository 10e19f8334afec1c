// Model: a kind of network with a name and options, which are settings. A new model is a header, a source
// and a line in models.def: the header has the network and a struct of typed options, the source ends with
// the factory `std::unique_ptr<Model> NAME_model()`.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/setting.h"
#include "engine/nn/module.h"

namespace umbra {

/// The last columns of a list (SampleShape::list): the share of an entry in a mean over the list, and whether it is
/// absent, 0 or 1.
inline constexpr std::int64_t kListColumns = 2;

/// The shapes of one sample, without the batch axis.
struct SampleShape {
  Shape input;               ///< of one input, e.g. [1, 25, 25, 25]: channels, then spatial extents
  std::int64_t outputs = 1;  ///< numbers per output of the network
  /// The last channels of the input that are parameters of the sample, equal at all positions. They travel as
  /// channels so that everything between the file and Module::forward() sees one tensor per sample; a network
  /// may use them elsewhere than in its first layer.
  std::int64_t parameters = 0;
  /// Whether a sample is a list, [entries, columns]: columns are features, parameters and kListColumns more. The
  /// number of entries may be another one in every batch; `input` and `outputs` are those of the longest.
  bool list = false;
  /// Of lists, per class but the last: the log of what a network starts with as the expected number that no entry
  /// accounts for; empty: 0.
  std::vector<double> background = {};
};

/// A kind of network and its options. make_model() returns one by its name.
class Model {
 public:
  virtual ~Model() = default;
  /// The name in models.def and of the setting model.name.
  virtual std::string_view name() const = 0;
  /// A description in one line, for --help.
  virtual std::string_view meaning() const = 0;
  /// The options, with keys "model.…", bound to this object.
  virtual std::vector<Setting> settings() = 0;
  /// The name and the options that distinguish networks of this kind, e.g. "um_resnet C=20".
  virtual std::string label() const = 0;
  /// Samples of the size the network is usually used with, for benchmarks and for the tests of all models.
  virtual SampleShape example() const = 0;
  /// Whether it takes lists (SampleShape::list) and nothing else.
  virtual bool takes_lists() const { return false; }
  /// A network with these options. Throws Error when it cannot take samples of that shape.
  virtual std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const = 0;
  /// A copy with the same options.
  virtual std::unique_ptr<Model> clone() const = 0;
};

/// The model called `name` with its default options. Throws Error with the list of all names when there is
/// none.
std::unique_ptr<Model> make_model(std::string_view name);
/// The names of all models, in the order of models.def.
std::vector<std::string> model_names();

/// A Model made from a struct of options, which must have
///
///     static constexpr std::string_view kName, kMeaning;
///     std::vector<Setting> settings();
///     std::string label() const;
///     SampleShape example() const;
///     std::unique_ptr<Module> make(Build&, const SampleShape&) const;
///
/// and, if it takes lists, a member kTakesLists.
template <class Options>
class ModelOf final : public Model {
 public:
  /// The model with these options.
  explicit ModelOf(Options options = {}) : options_(std::move(options)) {}
  std::string_view name() const override { return Options::kName; }
  std::string_view meaning() const override { return Options::kMeaning; }
  std::vector<Setting> settings() override { return options_.settings(); }
  std::string label() const override { return options_.label(); }
  SampleShape example() const override { return options_.example(); }
  bool takes_lists() const override {
    return requires {
      Options::kTakesLists;
    };
  }
  std::unique_ptr<Module> make(Build& build, const SampleShape& shape) const override {
    return options_.make(build, shape);
  }
  std::unique_ptr<Model> clone() const override { return std::make_unique<ModelOf>(options_); }

 private:
  Options options_;
};

}  // namespace umbra
