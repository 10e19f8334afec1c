// A small data set of volumes and a small network for them, for tests of training on a GPU.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/nn/layers.h"
#include "engine/train/trainer.h"

namespace umbra::cuda_test {

/// Boxes whose windows extend into other boxes, as in a catalog.
class Boxes final : public Dataset {
 public:
  Boxes(std::int64_t count, std::int64_t voxels) : count_(count), voxels_(voxels) {
    numbers_.resize(static_cast<std::size_t>(count * voxels * voxels * voxels));
    const Rng rng(7, Purpose::kTest);
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const double u = rng.uniform(i);
      numbers_[i] = static_cast<float>(u < 0.1 ? 0.5 + 10 * u : 0);
    }
    array_ = {numbers_, count, 1, voxels};
  }
  std::int64_t size() const override { return count_; }
  Shape input_shape() const override { return {1, voxels_, voxels_, voxels_}; }
  Shape target_shape() const override { return {3}; }
  void read(std::int64_t, const Rng*, std::span<float>, std::span<float>) const override {
    fail("not asked");
  }
  const BoxArray* boxes() const override { return &array_; }
  BoxWindow window(std::int64_t index, const Rng* rng, std::span<float> target) const override {
    BoxWindow w{{}, {0, 1, 2}, {0, 0, 0}, {0, 0, 0}};
    for (auto& source : w.source) source = static_cast<std::int32_t>(index);
    if (rng != nullptr) {
      for (std::size_t a = 0; a < 3; ++a) {
        w.flip[a] = static_cast<std::int32_t>(rng->below(a, 2));
        w.shift[a] = static_cast<std::int32_t>(rng->below(3 + a, static_cast<std::uint64_t>(voxels_)));
      }
    }
    const Rng labels(8, Purpose::kTest, static_cast<std::uint64_t>(index));
    for (std::size_t b = 0; b < target.size(); ++b) target[b] = static_cast<float>(labels.uniform(b));
    return w;
  }

 private:
  std::int64_t count_, voxels_;
  std::vector<float> numbers_;
  BoxArray array_;
};

/// All layers that a training step of a small network on volumes can have, dropout among them.
class Net final : public Module {
 public:
  Net(Build& build, std::int64_t voxels)
      : conv_(add_child("conv", std::make_shared<Conv>(build, Conv::Options{3, 1, 6, voxels, 3, 2, 1}))),
        norm_(add_child("norm", std::make_shared<BatchNorm>(build, 6))),
        second_(add_child("second",
                          std::make_shared<Conv>(build, Conv::Options{3, 6, 5, (voxels + 1) / 2, 3, 1, 1}))),
        second_norm_(add_child("second_norm", std::make_shared<BatchNorm>(build, 5))),
        last_(add_child("last", std::make_shared<Linear>(build, 5, 3))) {}
  Var forward(Pass& pass, const Var& x) override {
    const Var h = norm_->forward_conv(pass, *conv_, x, true);
    const Var k = second_norm_->forward_conv(pass, *second_, h, true);
    return last_->forward(pass, dropout(pass, mean_pool(pass, k), 0.2));
  }

 private:
  std::shared_ptr<Conv> conv_;
  std::shared_ptr<BatchNorm> norm_;
  std::shared_ptr<Conv> second_;
  std::shared_ptr<BatchNorm> second_norm_;
  std::shared_ptr<Linear> last_;
};

}  // namespace umbra::cuda_test
