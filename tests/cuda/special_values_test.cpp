// NaN, infinities and ignored rows on the rungs for CUDA, as tests/engine does for the CPU.
#include "tests/fixtures/special_values.h"

#include "tests/cuda/where.h"

namespace umbra {
namespace {

constexpr Device::Kind kCuda = Device::Kind::kCuda;

class SpecialValuesOnCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = cuda_test::cannot_run(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(SpecialValuesOnCuda, ExpSigmoidAndTanh) {
  testing_ops::expect_special_values_of_exp(kCuda);
  testing_ops::expect_special_values_of_sigmoid(kCuda);
  testing_ops::expect_special_values_of_tanh(kCuda);
}
TEST_F(SpecialValuesOnCuda, Softmax) {
  testing_ops::expect_infinities_and_nan_in_softmax_as_in_pytorch(kCuda);
  testing_ops::expect_nan_in_softmax_to_stay_in_its_row(kCuda);
}
TEST_F(SpecialValuesOnCuda, ReduceAxes) {
  testing_ops::expect_nan_to_win_reductions(kCuda);
  testing_ops::expect_nan_in_the_gradient_of_a_nan(kCuda);
}
TEST_F(SpecialValuesOnCuda, AveragePool) {
  testing_ops::expect_nan_in_an_average_to_stay_where_it_is_seen(kCuda);
}
TEST_F(SpecialValuesOnCuda, BatchNormFrozen) {
  testing_ops::expect_gate_to_be_closed_where_the_output_is_zero(kCuda);
}
TEST_F(SpecialValuesOnCuda, Poisson) {
  testing_ops::expect_poisson_to_be_finite_at_zero(kCuda);
}
TEST_F(SpecialValuesOnCuda, SoftmaxCrossEntropy) {
  testing_ops::expect_no_mean_with_every_label_ignored(kCuda);
  testing_ops::expect_nothing_of_an_ignored_row_to_be_looked_at(kCuda);
  testing_ops::expect_minus_infinity_to_cost_nothing_without_smoothing(kCuda);
}

}  // namespace
}  // namespace umbra
