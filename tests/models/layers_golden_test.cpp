// Every op of layers.safetensors on the CPU against PyTorch (tests/golden/README.md): in f32 with the rungs that
// ship, in double with the references.
#include "tests/fixtures/layer_goldens.h"

namespace umbra {
namespace {

class LayersGolden : public testing::TestWithParam<golden::LayerCheck> {};

TEST_P(LayersGolden, EqualPyTorch) {
  golden::OpGoldens goldens("layers.safetensors");
  GetParam().run(goldens);
}

TEST_P(LayersGolden, ReferencesInDoubleEqualPyTorchInDouble) {
  golden::OpGoldens goldens("layers.safetensors", {}, DType::kF64);
  GetParam().run(goldens);
}

INSTANTIATE_TEST_SUITE_P(Op, LayersGolden, testing::ValuesIn(golden::kLayerChecks),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace umbra
