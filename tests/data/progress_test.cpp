// Reports of progress from imports, mocks and streams of sub-boxes: whole, and without effect on the result.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <map>

#include "data/boxes/box_stream.h"
#include "data/catalogs/formats.h"
#include "data/catalogs/import_rows.h"
#include "data/catalogs/table.h"
#include "data/mock/mock.h"
#include "data/tables/table.h"
#include "tests/fixtures/file_test.h"
#include "tests/fixtures/fits_bytes.h"

namespace umbra {
namespace {

// The units done and the total of every stage when it ended.
struct Ends {
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> of;
  int reports = 0;

  StageReport report() {
    return [this](const StageState& state) {
      ++reports;
      if (state.finished) of[std::string(state.name)] = {state.done, state.total};
    };
  }
};

using ProgressOfDataTest = FileTest;

// Records of UniverseMachine on a line through the cube.
std::string records(int count) {
  std::string bytes(128 * static_cast<std::size_t>(count), '\0');
  for (int i = 0; i < count; ++i) {
    char* record = bytes.data() + 128 * i;
    const auto set = [&](std::size_t offset, auto value) {
      std::memcpy(record + offset, &value, sizeof value);
    };
    const float at = 250.0f * static_cast<float>(i) / static_cast<float>(count);
    set(0, std::int64_t{i}), set(16, std::int64_t{-1}), set(32, at), set(36, at), set(40, at),
        set(56, 200.0f);
    set(64, 1e12f), set(68, 5e11f), set(112, 1e10f), set(116, 1.0f);
  }
  return bytes;
}

TEST_F(ProgressOfDataTest, AnImportCountsTheBytesOfItsFile) {
  const std::string bytes = records(3000);
  put_bytes(path("a.bin"), bytes);
  const gzFile packed = gzopen(path("b.bin.gz").c_str(), "wb");
  gzwrite(packed, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(packed);
  Ends ends;
  const Catalog watched = read_um_bin(path("a.bin"), std::nullopt, {.progress = ends.report()});
  EXPECT_EQ(ends.of["reading"], std::pair(std::ssize(bytes), std::ssize(bytes)));
  EXPECT_TRUE(ends.of.contains("checking rows"));
  EXPECT_GT(ends.reports, 6);
  EXPECT_EQ(watched.columns, read_um_bin(path("a.bin"), std::nullopt, {}).columns);
  read_um_bin(path("b.bin.gz"), std::nullopt, {.progress = ends.report()});
  EXPECT_EQ(ends.of["reading"], std::pair(std::ssize(bytes), std::int64_t{0}));  // unknown
  EXPECT_EQ(bytes_to_read("/dev/zero"), 0);
  EXPECT_EQ(bytes_to_read(path("none")), 0);
}

TEST_F(ProgressOfDataTest, AnImportOfTextCountsTheBytesOfItsRows) {
  const std::string header = "#scale(0) id(1) x(2) y(3) z(4) Vpeak(5)\n#Full box size = 50.0 Mpc/h\n";
  std::string rows;
  for (int i = 0; i < 30000; ++i) rows += concat("1.0 ", i, " ", i % 50, " 2.5 3.5 150\n");
  std::ofstream(path("hlist_1.00000.list")) << header << rows;
  Ends ends;
  EXPECT_EQ(read_hlist(path("hlist_1.00000.list"), {.progress = ends.report()}).rows(), 30000);
  const auto [done, total] = ends.of["reading"];
  EXPECT_EQ(total, std::ssize(header) + std::ssize(rows));
  EXPECT_GE(done, std::ssize(rows));  // perhaps with the second line of the header
  EXPECT_LE(done, total);
}

TEST_F(ProgressOfDataTest, AnImportOfATableCountsItsBytesOrItsColumns) {
  const std::string header = "x,y,z,vpeak,id\n";
  std::string rows;
  for (int i = 0; i < 30000; ++i) rows += concat(i % 50, ",2.5,3.5,150,", i, "\n");
  std::ofstream(path("halos.csv")) << header << rows;
  Ends ends;
  const TableOptions options{.rows = {.box_size = 50, .progress = ends.report()}};
  const Catalog text = read_table(path("halos.csv"), options);
  EXPECT_EQ(text.rows(), 30000);
  const auto [done, total] = ends.of["reading"];
  EXPECT_EQ(total, std::ssize(header) + std::ssize(rows));
  EXPECT_GE(done, std::ssize(rows));
  EXPECT_LE(done, total);
  write_catalog(path("halos.h5"), text);
  EXPECT_EQ(read_table(path("halos.h5"), {.group = "halos", .rows = options.rows}).columns, text.columns);
  EXPECT_EQ(ends.of["reading columns"], std::pair(std::int64_t{4}, std::int64_t{4}));
  if (!can_read_fits()) GTEST_SKIP() << "this build cannot read FITS: CFITSIO (libcfitsio-dev) was not found";
  put_bytes(path("halos.fits"),
            fits_file(fits_table("H", {{"POS", "Mpc/h", {1, 2, 3}, 3}, {"VPEAK", "km/s", {200}}})));
  read_table(path("halos.fits"), {.columns = "x=POS[0],y=POS[1],z=POS[2]", .rows = options.rows});
  EXPECT_EQ(ends.of["reading columns"], std::pair(std::int64_t{4}, std::int64_t{4}));
}

TEST_F(ProgressOfDataTest, AMockAndAStreamReportWhatTheyDo) {
  mock::Options options;
  options.box_size = 50;
  Ends ends;
  const mock::Mock watched = mock::make(options, ends.report());
  for (const char* stage : {"drawing halos", "moving matter", "placing halos"})
    EXPECT_TRUE(ends.of.contains(stage)) << stage;
  EXPECT_EQ(ends.of["drawing halos"], std::pair(std::int64_t{5}, std::int64_t{5}));
  EXPECT_EQ(ends.of["moving matter"], std::pair(std::int64_t{11}, std::int64_t{11}));
  EXPECT_GE(ends.of["placing halos"].second, ends.of["placing halos"].first);
  EXPECT_EQ(watched.catalog.columns, mock::make(options).catalog.columns);
  write_catalog(path("mock.h5"), watched.catalog);
  BoxStreamLimits limits;
  limits.rows = 500;
  const BoxStream stream(path("mock.h5"), {}, folder_, limits, ends.report());
  EXPECT_EQ(ends.of["reading halos"], std::pair(watched.catalog.rows(), watched.catalog.rows()));
}

}  // namespace
}  // namespace umbra
