// safetensors: round trips, the byte layout that PyTorch expects, and more than two hundred damaged files.
#include "engine/io/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/nn/layers.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;

struct SafeTensorsTest : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("umbra_safetensors_" + std::to_string(getpid()));
  Stream stream{Device{}};

  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }

  std::vector<NamedTensor> sample() {
    const Tensor a = allocate_tensor({}, {2, 3}, DType::kF32), b = allocate_tensor({}, {}, DType::kI64);
    const Tensor c = allocate_tensor({}, {4}, DType::kF64);
    from_host(std::vector<double>{1, 2, 3, 4, 5, 6.5}, a, stream);
    from_host(std::vector<double>{42}, b, stream);
    from_host(std::vector<double>{-1, 0.1, 1e300, 0}, c, stream);
    return {{"layer.weight", a}, {"layer.num_batches_tracked", b}, {"c", c}};
  }
  std::string bytes(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void write(const fs::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
  }
};

TEST_F(SafeTensorsTest, NewLayersKeepTheirValues) {
  Build build;
  Sequential network(
      {std::make_shared<Linear>(build, 2, 2, false), std::make_shared<Linear>(build, 2, 3, false)});
  const Tensor first = allocate_tensor({}, {2, 2}, DType::kF32),
               last = allocate_tensor({}, {5, 2}, DType::kF32);
  from_host(std::vector<double>{1, 2, 3, 4}, first, stream);
  from_host(std::vector<double>(10, 7.0), last, stream);
  const std::vector<NamedTensor> file{{"0.weight", first}, {"1.weight", last}};
  const std::vector<double> before = to_host(network.state()[1].tensor, stream);
  EXPECT_THROW(load_state(network, file, "f"), Error);
  EXPECT_THROW(load_state(network, file, "f", {"2"}), Error);
  load_state(network, file, "f", {"1"});
  EXPECT_EQ(to_host(network.state()[0].tensor, stream), (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(to_host(network.state()[1].tensor, stream), before);
}

TEST_F(SafeTensorsTest, RoundTrip) {
  const fs::path path = folder / "a.safetensors";
  write_safetensors(path, sample(), {{"format", "pt"}, {"note", "with \"quotes\"\nand lines"}});
  const SafeTensors read = read_safetensors(path);
  EXPECT_EQ(read.metadata.at("note"), "with \"quotes\"\nand lines");
  ASSERT_EQ(read.tensors.size(), 3U);
  const std::vector<NamedTensor> written = sample();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read.tensors[i].name, written[i].name);
    EXPECT_EQ(read.tensors[i].tensor.shape(), written[i].tensor.shape());
    EXPECT_EQ(read.tensors[i].tensor.dtype(), written[i].tensor.dtype());
    EXPECT_EQ(to_host(read.tensors[i].tensor, stream), to_host(written[i].tensor, stream));
  }
}

TEST_F(SafeTensorsTest, BytesAreThoseOfTheFormat) {
  const fs::path path = folder / "a.safetensors";
  const Tensor t = allocate_tensor({}, {1}, DType::kF32);
  from_host(std::vector<double>{1}, t, stream);
  write_safetensors(path, {{"x", t}}, {{"format", "pt"}});
  const std::string header =
      R"({"__metadata__":{"format":"pt","format_version":"1"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string content = bytes(path);
  std::uint64_t length = 0;
  std::copy_n(content.data(), 8, reinterpret_cast<char*>(&length));
  EXPECT_EQ(length % 8, 0U);
  EXPECT_EQ(content.substr(8, header.size()), header);
  EXPECT_EQ(content.substr(8 + header.size(), length - header.size()),
            std::string(length - header.size(), ' '));
  EXPECT_EQ(content.substr(8 + length), std::string("\0\0\x80\x3f", 4));
}

TEST_F(SafeTensorsTest, LiesInTheHeaderAreSentences) {
  const auto with_header = [&](const std::string& header, std::size_t data) {
    std::uint64_t length = header.size();
    std::string content(reinterpret_cast<const char*>(&length), 8);
    write(folder / "bad.safetensors", content + header + std::string(data, '\0'));
    try {
      read_safetensors(folder / "bad.safetensors");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(with_header(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8), "no error");
  for (const auto& [header, data] : std::vector<std::pair<std::string, std::size_t>>{
           {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7},  // truncated
           {R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8},  // shape and bytes disagree
           {R"({"x":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", 8},  // overflow
           {R"({"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})", 8},
           {R"({"x":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}})", 8},
           {R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8},
           {R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8},              // a gap
           {R"({"x":{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4},  // seven dimensions
           {R"({"x":[1]})", 0},
           {R"({"x":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})", 8},
           {R"([])", 0},
           {R"({"__metadata__":{"a":1}})", 0}}) {
    const std::string message = with_header(header, data);
    EXPECT_NE(message, "no error") << header;
    EXPECT_NE(message.find("bad.safetensors"), std::string::npos) << message;
  }
}

TEST_F(SafeTensorsTest, ThreeHundredMutationsEndInSuccessOrASentence) {
  const fs::path good = folder / "good.safetensors", bad = folder / "bad.safetensors";
  write_safetensors(good, sample(), {{"format", "pt"}});
  const std::string original = bytes(good);
  const Rng rng(1, Purpose::kTest);
  int errors = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::string content = original;
    const std::size_t place = static_cast<std::size_t>(rng.below(2 * i, content.size()));
    if (i % 3 == 0) {
      content.resize(place);  // cut short
    } else if (i % 3 == 1) {
      content[place] = static_cast<char>(rng.words(2 * i + 1)[0]);
    } else {
      for (std::size_t k = place; k < std::min(place + 8, content.size()); ++k)
        content[k] = static_cast<char>(rng.words(1000 + k)[1]);
    }
    write(bad, content);
    try {
      read_safetensors(bad);
    } catch (const Error&) {
      ++errors;
    }
  }
  EXPECT_GT(errors, 150);
}

TEST_F(SafeTensorsTest, LoadStateNamesWhatDoesNotFitAndLeavesTheNetworkAlone) {
  Build build;
  Linear network(build, 3, 2);
  const std::vector<NamedTensor> state = network.state();
  const std::vector<double> before = to_host(state[0].tensor, stream);
  const Tensor weight = allocate_tensor({}, {2, 3}, DType::kF64),
               bias = allocate_tensor({}, {2}, DType::kF32);
  from_host(std::vector<double>{1, 2, 3, 4, 5, 6}, weight, stream);
  from_host(std::vector<double>{7, 8}, bias, stream);
  EXPECT_THROW(load_state(network, {{"weight", weight}}, "f"), Error);  // bias missing
  EXPECT_THROW(load_state(network, {{"weight", weight}, {"bias", bias}, {"x", bias}}, "f"),
               Error);                                                                // an unknown tensor
  EXPECT_THROW(load_state(network, {{"weight", bias}, {"bias", bias}}, "f"), Error);  // wrong shape
  EXPECT_EQ(to_host(state[0].tensor, stream), before);
  load_state(network, {{"weight", weight}, {"bias", bias}}, "f");  // f64 numbers are converted
  EXPECT_EQ(to_host(state[0].tensor, stream), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace umbra
