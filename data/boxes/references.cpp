// The reference relations of residuals. The halos of the training boxes come from a BoxCutter whose features are
// the two axes of each relation, so that they are the halos of the inputs.
#include <bit>

#include "data/boxes/cut.h"

namespace umbra {

std::vector<double> fit_references(const Catalog& catalog, const BoxOptions& options,
                                   std::span<const std::int64_t> train) {
  std::vector<double> references;
  for (const std::string& text : options.features) {
    const Feature feature = parse_feature(text, concat("feature '", text, "'"));
    if (feature.kind != Feature::Kind::kResidual) continue;
    BoxOptions axes = options;
    axes.input = BoxInput::kVoxels;
    axes.references.clear();
    axes.parameters.clear();
    axes.features = {concat("log10(vpeak/", kReferenceVpeak, ")"),
                     concat("log10(", feature.value.text(), ")")};
    const BoxCutter cutter(catalog, axes);
    std::vector<char> trains(static_cast<std::size_t>(cutter.count()), 0);
    for (const std::int64_t box : train) trains[static_cast<std::size_t>(box)] = 1;
    std::vector<std::uint64_t> halos;
    cutter.cut(catalog, halos);
    std::vector<double> w, y;
    for (std::size_t at = 0; at < halos.size(); at += cutter.words()) {
      if (!BoxCutter::enters(halos[at]) || trains[static_cast<std::size_t>(cutter.box_of(halos[at]))] == 0)
        continue;
      w.push_back(std::bit_cast<double>(halos[at + 1]));
      y.push_back(std::bit_cast<double>(halos[at + 2]));
    }
    const std::vector<double> fitted = fit_reference(w, y);
    references.insert(references.end(), fitted.begin(), fitted.end());
  }
  return references;
}

}  // namespace umbra
