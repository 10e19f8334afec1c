// The course as a web site: a page for each lesson, from its page.md and its last run, and a table of contents.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace umbra::learn {

/// What to build.
struct PageOptions {
  std::filesystem::path source_folder;  ///< the repository: tools/learn/page/ and tools/learn/NN_name/
  std::filesystem::path work_folder;    ///< the runs: NN_name/run.json and its figures
  std::filesystem::path out;         ///< the folder for index.html and NN_name.html; created if there is none
  std::vector<std::string> lessons;  ///< names, "01_linear_regression", in the order of the course
  bool overwrite = false;            ///< replaces files that are not pages of the course
};

/// Creates the folder for the pages. Throws Error if they cannot be written there, as where a file has the name of a
/// page and is not one that build_pages() has written.
void check_outputs(const PageOptions& options);

/// Writes index.html and a page for each lesson. Each page is one file that needs nothing else: style, figures,
/// scripts and the numbers of the run are in it. Pages of other lessons that are in the folder stay, and index.html
/// lists them, too. Nothing is written unless all pages can be. Throws Error: what check_outputs() refuses; pandoc is
/// missing; a lesson has not been run; a page refers to what its run has not.
void build_pages(const PageOptions& options);

}  // namespace umbra::learn
