// Tables read in parallel blocks against the same tables read word by word, for any number of threads.
#include "data/tables/text_rows.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <tuple>

#include "data/catalogs/formats.h"
#include "engine/base/philox.h"
#include "tests/fixtures/file_test.h"

namespace umbra {
namespace {

struct Table {
  std::vector<double> first, last;
  std::vector<std::int64_t> ids, lines;
  std::vector<std::string> comments;
  std::int64_t read = 0, bad = 0;
  double same = 0;
  friend bool operator==(const Table&, const Table&) = default;
};

constexpr int kFields = 12;  // 0: the same in all rows; 1: first; 4: id; 11: last

// About 4 MB: several blocks. Lines differ in length, separators, blank lines and comments.
std::string long_table(char separator, Table& want) {
  const Rng rng(7, Purpose::kTest, 0);
  std::string text;
  std::int64_t line = 0;
  for (std::uint64_t row = 0; row < 30'000; ++row) {
    const auto draw = [&](std::uint64_t i, std::uint32_t end) { return rng.words(row * 16 + i)[0] % end; };
    if (draw(0, 50) == 0) text += separator == ' ' ? "  \t\n" : "\n", ++line;
    if (draw(1, 400) == 0) {
      want.comments.push_back("# remark " + std::to_string(row));
      text += want.comments.back() + "\n", ++line;
    }
    std::string fields[kFields];
    fields[0] = "0.5";
    for (int f = 1; f < kFields; ++f) {
      const std::uint32_t digits = draw(static_cast<std::uint64_t>(f) + 1, 1'000'000'000);
      fields[f] = std::to_string(digits) + (f == 4 ? "" : "." + std::to_string(digits % 977) + "e-3");
    }
    want.first.push_back(std::strtod(fields[1].c_str(), nullptr));
    want.ids.push_back(std::stoll(fields[4]));
    want.last.push_back(std::strtod(fields[11].c_str(), nullptr));
    want.lines.push_back(++line);
    for (int f = 0; f < kFields; ++f) {
      const std::string blanks(separator == ' ' ? 1 + draw(14, 3) : draw(14, 2),
                               draw(15, 2) == 0 ? ' ' : '\t');
      if (f > 0) text += separator == ' ' ? blanks : separator + blanks;
      text += fields[f];
    }
    text += "\n";
  }
  want.read = 30'000;
  want.same = 0.5;
  return text;
}

Table read(const std::filesystem::path& path, char separator, int threads, double minimum = 0,
           bool skip_bad_rows = false) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  Table got;
  TextReader reader(path);
  RowPlan plan;
  plan.file = "file 't'";
  plan.separator = separator;
  for (int f = 0; f < kFields; ++f) plan.names.push_back(concat("name ", f));
  plan.columns = {
      {1, &got.first, nullptr, true}, {4, nullptr, &got.ids, true}, {11, &got.last, nullptr, true}};
  plan.same = 0;
  plan.same_name = "scale factor";
  if (minimum > 0) plan.cut = 1, plan.minimum = minimum;
  plan.skip_bad_rows = skip_bad_rows;
  plan.comment = [&](std::int64_t line, std::string_view text) {
    require(!text.starts_with("# refused"), "refused in line ", line);
    got.comments.emplace_back(text);
  };
  try {
    const RowCounts counts = read_rows(reader, plan);
    for (std::size_t row = 0; row < counts.lines.size(); ++row) got.lines.push_back(counts.lines[row]);
    got.read = counts.read;
    got.bad = counts.bad;
    got.same = counts.same;
  } catch (...) {
    omp_set_num_threads(before);
    throw;
  }
  omp_set_num_threads(before);
  return got;
}

void pack(const std::string& text, const std::filesystem::path& to) {
  const gzFile file = ::gzopen(to.c_str(), "wb1");
  ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
}

class TextRows : public FileTest {
 protected:
  std::filesystem::path put(const std::string& text) const {
    put_bytes(path("t"), text);
    return path("t");
  }
};

TEST_F(TextRows, AreThoseOfTheFileForAnyNumberOfThreads) {
  for (const char separator : {' ', ','}) {
    Table want;
    const auto file = put(long_table(separator, want));
    for (const int threads : {1, 2, 3, 8}) EXPECT_EQ(read(file, separator, threads), want) << threads;
  }
}

TEST_F(TextRows, FromGzipFromAPipeAndWithOtherLineEndsAreTheSame) {
  Table want;
  const std::string text = long_table(' ', want);
  pack(text, path("t.gz"));
  EXPECT_EQ(read(path("t.gz"), ' ', 2), want);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(path("pipe")) << text; });
  EXPECT_EQ(read(path("pipe"), ' ', 2), want);
  writer.join();
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  windows.resize(windows.size() - 2);  // and no end of the last line
  EXPECT_EQ(read(put(windows), ' ', 2), want);
}

TEST_F(TextRows, WithQuotesAreReadToo) {
  Table want;
  std::string text = long_table(',', want);
  for (std::size_t at = 0; (at = text.find("0.5,", at)) != std::string::npos; at += 40'000)
    text.replace(at, 4, "\"0.5\",");
  EXPECT_EQ(read(put(text), ',', 2), want);
}

TEST_F(TextRows, BelowACutAreCountedAndNotStored) {
  Table want;
  const auto file = put(long_table(' ', want));
  const Table got = read(file, ' ', 2, 500'000);
  std::vector<double> kept;
  for (const double value : want.first)
    if (!(value < 500'000)) kept.push_back(value);
  EXPECT_EQ(got.first, kept);
  EXPECT_LT(kept.size(), want.first.size());
  EXPECT_EQ(got.read, want.read);
}

// The same text with another line in place of that of a row.
std::string with(std::string text, const Table& table, std::size_t row, const std::string& line) {
  std::size_t at = 0;
  for (std::int64_t i = 1; i < table.lines[row]; ++i) at = text.find('\n', at) + 1;
  return text.replace(at, text.find('\n', at) - at, line);
}

TEST_F(TextRows, ErrorsNameTheLineAndTheColumn) {
  Table want;
  const std::string text = long_table(' ', want);
  const auto wrong = [&](std::size_t row, const std::string& line, std::initializer_list<std::string> parts) {
    const auto file = put(with(text, want, row, line));
    for (const int threads : {1, 3}) {
      expect_message([&] { read(file, ' ', threads); }, parts);
      expect_message([&] { read(file, ' ', threads); },
                     {"file 't' line " + std::to_string(want.lines[row]) + ": "});
    }
  };
  wrong(9'000, "0.5 1 2", {"3 fields", "names 12 columns"});
  wrong(0, "0.5 1 2 3 4 5 6 7 8 9 10 11 12", {"13 fields", "names 12 columns"});
  wrong(20'000, "0.5 1 2 3 x 5 6 7 8 9 10 11", {"column 'name 4' is 'x', an integer is expected"});
  wrong(29'999, "0.5 1 2 3 4 5 6 7 8 9 10 1.5.", {"column 'name 11' is '1.5.', a number is expected"});
  wrong(25'000, "0.25 1 2 3 4 5 6 7 8 9 10 11", {"the scale factor is 0.25, that of the file is 0.5"});
  wrong(25'000, "- 1 2 3 4 5 6 7 8 9 10 11", {"column 'name 0' is '-', a number is expected"});
  wrong(12'000, "0.5 1 2 3 4 5 6 7 8 9 \"10 11", {"a quote is opened and not closed"});
  wrong(12'000, std::string("0.5 1 2 3 4 5 6 7 8 9 10 \0", 26), {"this is not text"});
  wrong(12'000, "0.5 1 2 3 4 5 6 7 8 9 10\r11", {"a carriage return in the middle"});
  wrong(12'000, "#" + std::string(3 << 20, 'x'), {"the line is longer than 1048576 bytes"});
}

// Wrong lines in several blocks, which are parsed at the same time: the first is reported.
TEST_F(TextRows, TheFirstErrorOfTheFileIsReported) {
  Table want;
  std::string text = long_table(' ', want);
  for (const std::size_t row : {29'000, 22'000, 16'000, 9'000}) text = with(text, want, row, "0.5 1 2");
  for (const std::size_t row : {9'500, 8'999}) text = with(text, want, row, "0.25 1 2 3 4 5 6 7 8 9 10 11");
  const auto file = put(text);
  for (int turn = 0; turn < 10; ++turn)
    for (const int threads : {1, 2, 7})
      expect_message([&] { read(file, ' ', threads); },
                     {"line " + std::to_string(want.lines[8'999]) + ": the scale factor is 0.25"});
  // A remark that is refused, in the block of that row but before it.
  text = with(text, want, 8'998, "# refused");
  put(text);
  expect_message([&] { read(file, ' ', 2); }, {"refused in line " + std::to_string(want.lines[8'998])});
}

// From the first row of a block on, all rows have another number, which only the comparison of blocks can find;
// a remark after it is refused.
TEST_F(TextRows, ABlockWithAnotherNumberIsAnErrorInItsFirstRow) {
  Table want;
  std::string text = long_table(' ', want);
  const std::size_t first = text.rfind("\n0.5", std::size_t{1} << 18) + 1;
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), '\n');
  const auto row = std::lower_bound(want.lines.begin(), want.lines.end(), line) - want.lines.begin();
  text = with(text, want, static_cast<std::size_t>(row + 3), "# refused");
  for (std::size_t at = first - 1; at != std::string::npos; at = text.find("\n0.5", at + 1))
    text.replace(at, 4, "\n0.25");
  const auto file = put(text);
  for (const int threads : {1, 3})
    expect_message([&] { read(file, ' ', threads); },
                   {concat("line ", line, ": the scale factor is 0.25, that of the file is 0.5")});
  const std::size_t length = text.find('\n', first) - first;  // the block begins in the same place
  put(with(text, want, static_cast<std::size_t>(row), "# refused" + std::string(length - 9, '.')));
  expect_message([&] { read(file, ' ', 2); }, {concat("refused in line ", line)});
}

TEST_F(TextRows, AGzipFileThatIsCutShortIsAnErrorAfterThoseBeforeIt) {
  Table want;
  const std::string text = long_table(' ', want);
  const auto cut_short = [&](const std::string& whole) {
    pack(whole, path("t.gz"));
    const std::string bytes = text_of(path("t.gz"));
    put_bytes(path("t.gz"), bytes.substr(0, bytes.size() / 2));
  };
  cut_short(text);
  for (const int threads : {1, 7})
    expect_message([&] { read(path("t.gz"), ' ', threads); }, {"t.gz", "compressed with gzip and cut short"});
  cut_short(with(text, want, 1'000, "0.5 1"));
  for (const int threads : {1, 7})
    expect_message([&] { read(path("t.gz"), ' ', threads); },
                   {"line " + std::to_string(want.lines[1'000]) + ": 2 fields"});
}

TEST_F(TextRows, BadRowsAreSkippedAndCounted) {
  Table want;
  std::string text = long_table(',', want);
  text = with(with(text, want, 20'000, "0.5,1,2,3,x,5,6,7,8,9,10,11"), want, 3, "0.5,,2,3,4,5,6,7,8,9,10,11");
  const auto file = put(text);
  const Table got = read(file, ',', 2, 0, true);
  EXPECT_EQ(got.bad, 2);
  EXPECT_EQ(got.read, want.read);
  EXPECT_EQ(got.lines.size(), want.lines.size() - 2);
  EXPECT_EQ(got.lines[3], want.lines[4]);
  EXPECT_EQ(got.lines.back(), want.lines.back());
}

TEST_F(TextRows, FieldsMayHaveBlanksAroundThemAndSignsAndNothingInThem) {
  const auto first_and_last = [&](const std::string& line, char separator) {
    Table got = read(put(line), separator, 1);
    got.first.insert(got.first.end(), got.last.begin(), got.last.end());
    return got.first;
  };
  const std::vector<double> want{-1.5, 2e10};
  EXPECT_EQ(first_and_last("0.5, -1.5 ,2,3, 4.0 ,5,6,7,8,9,10,\t+2e+10\t\n", ','), want);
  EXPECT_EQ(first_and_last("0.5,\"-1.5\",2,3,\"4\" ,,,,,,,2e10", ','), want);
  EXPECT_EQ(first_and_last("\t 0.5\t-1.5  2 3 +4 5 6 7 8 9 10 2e10 \t", ' '), want);
  EXPECT_EQ(first_and_last("0.5\t-1.5\t\t\t4\t\t\t\t\t\t\t2e10\n", '\t'), want);
  EXPECT_EQ(first_and_last("0.5\t -1.5\t\t\t4\t\t\t\t\t\t\"\"\t 2e10 \n", '\t'), want);
}

TEST_F(TextRows, LinesOfRowsAreKept) {
  RowLines lines;
  const std::vector<std::int64_t> want{4, 5, 6, 9, 11, 12, 13, 14, 100};
  for (const std::int64_t line : want) lines.add(line);
  ASSERT_EQ(lines.size(), want.size());
  for (std::size_t row = 0; row < want.size(); ++row) EXPECT_EQ(lines[row], want[row]);
}

// The importer of hlists: header, rows, checks.
TEST_F(TextRows, AnHlistGivesTheSameCatalogHoweverItArrives) {
  const Rng rng(3, Purpose::kTest, 0);
  std::string text =
      "#scale(0) id(1) num_prog(2) x(17) y(18) z(19) Spin(26) Vpeak(62)\n#Full box size = 50 Mpc/h\n";
  for (std::uint64_t row = 0; row < 30'000; ++row) {
    text += concat("0.50120 ", row);
    for (const double size : {9.0, 50.0, 50.0, 50.0, 0.1, 900.0})
      text += concat(' ', size * (1e-4 + rng.uniform(text.size())));
    text += '\n';
  }
  const auto import = [](const std::filesystem::path& file, int threads, double min_vpeak) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    ImportReport report;
    const Catalog c = read_hlist(file, {.min_vpeak = min_vpeak}, &report);
    omp_set_num_threads(before);
    EXPECT_EQ(report.read, 30'000);
    return std::tuple(c.columns, c.integers, c.box_size, c.redshift);
  };
  put_bytes(path("hlist_0.50120.list"), text);
  pack(text, path("h.gz"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  for (const double min_vpeak : {0.0, 300.0}) {
    const auto want = import(path("hlist_0.50120.list"), 1, min_vpeak);
    EXPECT_EQ(std::get<0>(want).at("vpeak").size() == 30'000, min_vpeak == 0);
    for (const int threads : {1, 2, 3, 7}) {
      EXPECT_EQ(import(path("hlist_0.50120.list"), threads, min_vpeak), want);
      EXPECT_EQ(import(path("h.gz"), threads, min_vpeak), want);
      std::thread writer([&] { std::ofstream(path("pipe")) << text; });
      EXPECT_EQ(import(path("pipe"), threads, min_vpeak), want);
      writer.join();
    }
  }
}

// 96 MB of text with 100 columns, from which one is read: memory grows with that column only.
TEST_F(TextRows, MemoryDoesNotGrowWithTheFile) {
  const auto peak = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss >> 10;  // MB
  };
  if (!std::string_view(UMBRA_SANITIZER).empty()) GTEST_SKIP() << "a sanitizer keeps memory that was freed";
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  constexpr int kRows = 1'000, kTimes = 96;
  std::string text;
  for (int row = 0; row < kRows; ++row)
    for (int field = 0; field < 100; ++field) text += concat(123456789 + row, field == 99 ? '\n' : ' ');
  std::thread writer([&] {
    std::ofstream pipe(path("pipe"));
    for (int i = 0; i < kTimes; ++i) pipe << text;
  });
  TextReader reader(path("pipe"));
  const auto before = peak();
  std::vector<double> column;
  RowPlan plan;
  plan.names.resize(100);
  plan.columns = {{50, &column, nullptr, true}};
  read_rows(reader, plan);
  writer.join();
  EXPECT_EQ(column.size(), kRows * kTimes);
  EXPECT_LT(peak() - before, 16);
}

}  // namespace
}  // namespace umbra
