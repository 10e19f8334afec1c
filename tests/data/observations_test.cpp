// The typed-in tables against the published files, where those are available.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "data/observations/moustakas2013.h"
#include "data/observations/um_dr1.h"
#include "test_paths.h"

namespace umbra {
namespace {

std::vector<std::vector<double>> rows_of(const std::string& path) {
  std::ifstream stream(path);
  std::vector<std::vector<double>> rows;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    rows.emplace_back();
    for (double value; fields >> value;) rows.back().push_back(value);
  }
  return rows;
}

TEST(Observations, MoustakasIsTheFile) {
  const std::string path = UMBRA_SOURCE_DIR "/../shared/data/observed_smf/moustakas_z0.01_z0.20.smf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the published table is not here: " << path;
  const auto rows = rows_of(path);
  const auto table = moustakas2013_smf();
  ASSERT_EQ(rows.size(), table.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i], (std::vector<double>{table[i].low, table[i].high, table[i].phi, table[i].error_high,
                                            table[i].error_low}));
}

TEST(Observations, UniverseMachineIsTheFile) {
  const std::string path =
      UMBRA_SOURCE_DIR "/../shared/data/um_dr1_observables/Behroozi2019_smf_a1.002310.dat";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "the published table is not here: " << path;
  const auto rows = rows_of(path);
  const auto table = um_dr1_smf();
  ASSERT_EQ(rows.size(), table.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][0], table[i].centre);
    EXPECT_EQ(rows[i][1], table[i].phi);
    EXPECT_EQ(rows[i][4], table[i].satellite_fraction);
    EXPECT_NEAR(table[i].centre, 0.5 * (rows[i][10] + rows[i][11]), 1e-9);
  }
}

TEST(Observations, MoustakasBinsAreContiguousAndFoundByCentre) {
  const auto table = moustakas2013_smf();
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_GT(table[i].sigma(), 0);
    EXPECT_GE(table[i].sigma(), table[i].error_low);
    EXPECT_GE(table[i].sigma(), table[i].error_high);
    if (i > 0) {
      EXPECT_EQ(table[i].low, table[i - 1].high);
    }
    EXPECT_EQ(moustakas2013_at(0.5 * (table[i].low + table[i].high)), &table[i]);
  }
  EXPECT_EQ(moustakas2013_at(8.95), nullptr);
  EXPECT_EQ(moustakas2013_at(12.45), nullptr);
}

// The two tables describe the same sky: within 40 % in every bin from 10^9.5 to 10^11.5.
TEST(Observations, ModelAndObservationAgree) {
  for (const SmfRow& row : um_dr1_smf()) {
    if (row.centre < 9.5 || row.centre > 11.5) continue;
    const double observed =
        0.5 * (moustakas2013_at(row.centre - 0.05)->phi + moustakas2013_at(row.centre + 0.05)->phi);
    EXPECT_NEAR(row.phi / observed, 1.0, 0.4) << row.centre;
  }
}

}  // namespace
}  // namespace umbra
