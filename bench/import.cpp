// Times the import of a halo catalog in text: from the file to checked columns in memory, and the writing of the
// catalog. Prints one line of JSON, as bench/peers/import_peers.py does for other readers:
//   build/bench/import --write hlist_1.00000.list --rows 269000       makes the file: 79 columns, 196 MB
//   build/bench/import hlist_1.00000.list --out catalog.h5
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "bench/hlist_file.h"
#include "data/catalogs/formats.h"
#include "engine/cpu/parallel.h"

namespace umbra {
namespace {

struct Options {
  std::string file, out, write;
  std::int64_t rows = 269'000;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void run(const Options& o) {
  if (!o.write.empty()) return write_hlist(o.write, o.rows);
  const double before = peak_mb(), start = now();
  const Catalog catalog = read_hlist(o.file, {});
  const double end = now();
  nlohmann::json line = {
      {"program", "umbra"},         {"threads", omp_get_max_threads()},
      {"rows", catalog.rows()},     {"columns", catalog.columns.size() + catalog.integers.size()},
      {"seconds", end - start},     {"memory_before_mb", before},
      {"peak_memory_mb", peak_mb()}};
  // The sums show that all readers found the same numbers.
  for (const auto& [name, values] : catalog.columns)
    line["sums"][name] = std::accumulate(values.begin(), values.end(), 0.0);
  for (const auto& [name, values] : catalog.integers)
    line["sums"][name] = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  if (!o.out.empty()) {
    const double begin = now();
    write_catalog(o.out, catalog);
    line["write_seconds"] = now() - begin;
  }
  std::printf("%s\n", line.dump().c_str());
}

}  // namespace
}  // namespace umbra

int main(int argc, char** argv) {
  umbra::Options o;
  CLI::App app("Times the import of a halo catalog; prints one line of JSON");
  app.add_option("FILE", o.file, "the hlist to import; may be compressed with gzip");
  app.add_option("--out", o.out, "also write the catalog");
  app.add_option("--write", o.write, "write an hlist instead");
  app.add_option("--rows", o.rows, "of that hlist")->capture_default_str()->check(CLI::Range(1, 1 << 30));
  CLI11_PARSE(app, argc, argv);
  try {
    umbra::run(o);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "import: %s\n", error.what());
    return 1;
  }
  return 0;
}
