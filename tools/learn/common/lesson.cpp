#include "tools/learn/common/lesson.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "engine/io/atomic_file.h"
#include "engine/io/config.h"
#include "engine/io/config_text.h"
#include "tools/common/command_line.h"
#include "tools/learn/common/folder.h"

namespace umbra::learn {
namespace {

std::string short_number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::vector<SettingValue> defaults_of(const Config& config) {
  std::vector<SettingValue> values;
  for (const Setting& setting : config.settings())
    values.push_back({setting.key, toml_of(setting), setting.help, toml_of(setting)});
  return values;
}

}  // namespace

void Lesson::print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  run_.output.push_back(line);
}

void Lesson::heading(const std::string& text) {
  print("\n== " + text);
}

void Lesson::say(const char* format, ...) {
  std::va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  std::string line(static_cast<std::size_t>(std::vsnprintf(nullptr, 0, format, arguments)), ' ');
  std::vsnprintf(line.data(), line.size() + 1, format, again);
  va_end(again);
  va_end(arguments);
  print(line);
}

void Lesson::claim(const std::string& text, bool holds) {
  run_.claims.push_back({text, holds});
  print((holds ? "  ✓ " : "  ✗ ") + text);
}

void Lesson::claim_less(const std::string& text, double value, double limit) {
  claim(text + ": " + short_number(value) + " < " + short_number(limit), value < limit);
}

void Lesson::claim_near(const std::string& text, double value, double expected, double tolerance) {
  claim(text + ": " + short_number(value) + ", expected " + short_number(expected) + " ± " +
            short_number(tolerance),
        std::abs(value - expected) <= tolerance);
}

void Lesson::add(Recorded recorded) {
  for (const Recorded& earlier : run_.recorded)
    require(earlier.name != recorded.name, "the lesson records '", recorded.name, "' twice");
  run_.recorded.push_back(std::move(recorded));
}

void Lesson::record(const std::string& name, double number) {
  add({name, {}, {number}, {}});
}

void Lesson::record(const std::string& name, const std::vector<double>& numbers,
                    const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> extents = shape;
  if (extents.empty()) extents.push_back(static_cast<std::int64_t>(numbers.size()));
  std::int64_t count = 1;
  for (const std::int64_t extent : extents) count *= extent;
  require(count == static_cast<std::int64_t>(numbers.size()), "the shape of '", name, "' has ", count,
          " elements, but there are ", numbers.size());
  add({name, std::move(extents), numbers, {}});
}

void Lesson::record(const std::string& name, const std::vector<std::vector<double>>& rows) {
  std::vector<double> numbers;
  for (const auto& row : rows) {
    require(row.size() == rows.front().size(), "the rows of '", name, "' have different lengths");
    numbers.insert(numbers.end(), row.begin(), row.end());
  }
  const auto columns = static_cast<std::int64_t>(rows.empty() ? 0 : rows.front().size());
  record(name, numbers, {static_cast<std::int64_t>(rows.size()), columns});
}

void Lesson::record_words(const std::string& name, const std::vector<std::string>& words) {
  add({name, {static_cast<std::int64_t>(words.size())}, {}, words});
}

void Lesson::figure(const std::string& name, const Figure& figure, const std::string& description) {
  picture(name, figure.svg(description));
}

void Lesson::picture(const std::string& name, const std::string& svg) {
  const std::filesystem::path path = std::filesystem::path(folder_) / (name + ".svg");
  write_text_file(path, svg);
  std::printf("  figure: %s\n", path.c_str());
}

int run_lesson(int argc, char** argv, const std::string& name, std::vector<Setting> settings,
               const std::function<void(Lesson&)>& body) {
  Config config(std::move(settings));
  RunRecord run{name, defaults_of(config), {}, {}, {}};
  const std::string number = name.substr(0, name.find('_'));
  ToolApp app("A lesson. Settings are written key=value:\n" + config.help(), "lesson " + number);
  std::string out = "learning/" + name;
  std::vector<std::string> assignments;
  bool overwrite = false;
  app.add_option("settings", assignments, "settings key=value");
  const CLI::Option* folder = app.add_option(
      "--out", out,
      "folder for run.json and the figures; a run with changed settings has its own, NAME.changed");
  add_overwrite(app, overwrite, "the run in --out");
  return run_tool(app, argc, argv, [&] {
    config.set(assignments);
    for (std::size_t i = 0; i < run.settings.size(); ++i)
      run.settings[i].value = toml_of(config.settings()[i]);
    // Without --out the folder belongs to the lesson, and the run that its page shows stays.
    const bool own = folder->count() == 0;
    if (own && run.is_changed()) out += ".changed";
    require(!out.empty(), "--out: the name of a folder is expected");
    const std::filesystem::path record = std::filesystem::path(out) / "run.json";
    make_folder(out, own ? "the course" : "the run");
    check_writable(record, {}, own || overwrite);
    Lesson lesson(std::move(run), out);
    body(lesson);
    write_run(record, lesson.run_);
    const auto& claims = lesson.run_.claims;
    const auto held =
        std::count_if(claims.begin(), claims.end(), [](const Claimed& claim) { return claim.holds; });
    std::printf("\n%td of %zu claims hold; wrote %s\n", held, claims.size(), record.c_str());
    require(held == std::ssize(claims) || lesson.run_.is_changed(), "a claim does not hold");
  });
}

}  // namespace umbra::learn
