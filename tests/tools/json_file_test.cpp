// What is wrong with a JSON file is reported in one sentence that names the file, the field and what is expected.
#include "tools/common/json_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "engine/base/error.h"
#include "tools/reproduce/camels_table.h"

namespace umbra {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class JsonFile : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const std::string& content, const std::string& name = "a.json") const {
    std::ofstream(folder_ / name) << content;
    return folder_ / name;
  }
  // The trees of a file with such content, as a sentence if it is wrong.
  std::string trees_in(const std::string& content) const {
    try {
      return std::to_string(from_json_file(file(content), "the result of a search", [](const Json& json) {
        return json.at("best").at("trees").get<std::int64_t>();
      }));
    } catch (const Error& error) {
      const std::string text = error.what(), path = (folder_ / "a.json").string();
      return text.starts_with(path) ? text.substr(path.size()) : text;
    }
  }

  fs::path folder_ = fs::path(testing::TempDir()) / ("umbra_json_" + std::to_string(getpid()));
};

TEST_F(JsonFile, IsReadOrRefusedInOneSentence) {
  const std::string end = "; the result of a search is expected";
  EXPECT_EQ(trees_in("{\"best\": {\"trees\": 5}, \"format_version\": 1}"), "5");
  EXPECT_EQ(trees_in("{\"best\": {\"trees\": 5"), ": not JSON" + end);
  EXPECT_EQ(trees_in(""), ": not JSON" + end);
  EXPECT_EQ(trees_in("[5]"), ": not a JSON object" + end);
  EXPECT_EQ(trees_in("{\"scores\": []}"), ": the field best is missing" + end);
  EXPECT_EQ(trees_in("{\"best\": {\"leaf\": 5}}"), ": the field trees is missing" + end);
  EXPECT_EQ(trees_in("{\"best\": {\"trees\": \"5\"}}"), ": a value has the wrong type" + end);
  EXPECT_EQ(trees_in("{\"best\": 5}"), ": a value has the wrong type" + end);
  EXPECT_EQ(trees_in("{\"format_version\": \"new\"}"), ": format_version is not a whole number" + end);
  EXPECT_NE(trees_in("{\"format_version\": 7}").find("the file has format version 7"), std::string::npos);
  EXPECT_THROW(read_json_file(folder_ / "missing.json", "anything"), Error);
  EXPECT_THROW(read_json_file(folder_, "anything"), Error);
}

TEST_F(JsonFile, IsReadWhateverItsLength) {
  const std::string text(300'000, 'x');
  EXPECT_EQ(read_json_file(file("{\"long\": \"" + text + "\"}"), "a text").at("long"), text);
}

TEST_F(JsonFile, TablesOfTheCamelsBoxesNeedTheirFields) {
  const auto sentence = [&] {
    try {
      read_camels_tables(folder_);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const auto table_with = [&](const std::string& more) {
    file(
        "{\"format_version\": 1, \"rows\": [{\"row\": \"default\", \"group\": \"network\", \"seconds\": 1, " +
            more + "\"chi2\": {\"mean\": 9, \"standard_error\": 1, \"median\": 8}}]}",
        "camels.json");
  };
  table_with("");
  EXPECT_NE(sentence().find("camels.json: the field title is missing; the result of reproduce --camels"),
            std::string::npos)
      << sentence();
  table_with("\"title\": \"ours\", ");
  EXPECT_EQ(sentence(), "no error");
  file("{\"network\": \"halos\"}", "pytorch_halos.json");
  EXPECT_NE(sentence().find("pytorch_halos.json: the field parameters is missing; the result of bench/peers"),
            std::string::npos)
      << sentence();
}

}  // namespace
}  // namespace umbra
