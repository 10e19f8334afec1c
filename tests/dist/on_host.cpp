#include "tests/dist/numbers.h"
#include "tests/fixtures/world.h"

namespace umbra {
namespace {

class NumbersOnHost final : public Numbers {
 public:
  explicit NumbersOnHost(std::vector<float> values) : values_(std::move(values)) {}
  std::future<void> start_sum() override { return world().start_sum(values_, nullptr); }
  std::vector<float> values() override { return values_; }

 private:
  std::vector<float> values_;
};

}  // namespace

std::unique_ptr<Numbers> make_numbers(const std::vector<float>& values) {
  return std::make_unique<NumbersOnHost>(values);
}

}  // namespace umbra
