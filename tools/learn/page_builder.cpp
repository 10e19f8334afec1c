#include "tools/learn/page_builder.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/text_reader.h"
#include "tools/common/process.h"
#include "tools/common/tool.h"
#include "tools/learn/common/folder.h"
#include "tools/learn/page_html.h"
#include "tools/learn/page_values.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  require(in.good() || in.eof(), "cannot read '", path.string(), "'");
  return text;
}

/// A folder for the files that pandoc reads and writes, which are removed with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "umbra-pages-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "cannot make a folder in '",
            fs::temp_directory_path().string(), "'");
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  fs::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  fs::path folder_;
};

std::string pandoc(const std::string& markdown, const std::string& page) {
  const Scratch scratch;
  const fs::path in = scratch / "page.md", out = scratch / "page.html";
  write_text_file(in, markdown);
  const Ended ended = run_quietly({"pandoc", "--from", "markdown-implicit_figures", "--to", "html5",
                                   "--mathml", "--no-highlight", "--wrap", "preserve", "--columns",
                                   "1000",  // wide lines of a table give its columns no widths
                                   "--output", out.string(), in.string()});
  require(ended.status != 127, "pages need pandoc, which is not installed: apt install pandoc");
  // A formula that it cannot convert is a warning for pandoc and TeX code for the reader.
  require(ended.status == 0 && ended.output.empty(), page, ": pandoc: ", ended.output);
  return content_of(out);
}

struct Page {
  std::string name, number, title, question, content;  // the title without the number; all of them as HTML
  RunRecord run;
  bool is_new = true;  // not one that is in the folder and stays
};

// "Linear regression" of <h1 id="…">1. Linear regression</h1>.
std::string title_of(const std::string& html, const std::string& page) {
  const std::size_t tag = html.find("<h1"), begin = html.find('>', std::min(tag, html.size()));
  const std::size_t end = html.find("</h1>", std::min(begin, html.size()));
  require(tag == 0 && end != std::string::npos, page, ": a page begins with its title, '# 1. Title'");
  const std::string title = html.substr(begin + 1, end - begin - 1);
  const std::size_t point = title.find_first_not_of("0123456789");
  require(point != 0 && title.compare(point, 2, ". ") == 0, page,
          ": the title begins with the number, '# 1. Title'");
  return title.substr(point + 2);
}

// "Which way is down?" of the comment <!-- question: Which way is down? -->, which pandoc keeps; nothing without it.
std::string question_of(const std::string& text) {
  const std::string start = "<!-- question: ", end = " -->";
  const std::size_t begin = text.find(start), stop = text.find(end, std::min(begin, text.size()));
  if (stop == std::string::npos) return "";
  return html_escaped(text.substr(begin + start.size(), stop - begin - start.size()));
}

// "1" of "01_linear_regression".
std::string number_of(const std::string& name) {
  return name.substr(name.starts_with('0') ? 1 : 0, name.starts_with('0') ? 1 : 2);
}

Page converted(const PageOptions& options, const std::string& name) {
  const fs::path text = options.source_folder / "tools/learn" / name / "page.md";
  const fs::path folder = options.work_folder / name;
  require(fs::exists(text), "the lesson ", name, " has no page.md");
  require(fs::exists(folder / "run.json"), "the lesson ", name, " has not been run: there is no '",
          (folder / "run.json").string(), "'");
  Page page{name, number_of(name), "", "", "", read_run(folder / "run.json")};
  require(page.run.lesson == name, "'", (folder / "run.json").string(), "' is a run of ", page.run.lesson);
  const std::string html = pandoc(with_values(read_text_file(text), page.run, text.string()), text.string());
  page.title = title_of(html, text.string());
  page.question = question_of(html);
  require(!page.question.empty(), text.string(),
          ": after the title, a page has the line <!-- question: what the lesson answers -->");
  const std::string with_parts =
      with_figures(with_placed_formulas(with_overlines(html)), folder, text.string());
  page.content = with_commands(with_wide_tables(with_parts));
  return page;
}

bool is_ours(const std::string& html) {
  return html.find("<meta name=\"generator\" content=\"umbra learn\">") != std::string::npos;
}

// The new pages and those of other lessons in the folder, in the order of the course.
std::vector<Page> with_earlier_pages(std::vector<Page> pages, const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().stem(), path = entry.path();
    const bool is_new =
        std::any_of(pages.begin(), pages.end(), [&](const Page& page) { return page.name == name; });
    if (is_new || entry.path().extension() != ".html" || name == "index") continue;
    const std::string html = content_of(path);
    const std::size_t heading = html.find("<h1");
    if (!is_ours(html) || heading == std::string::npos) continue;
    const std::string content = html.substr(heading);
    pages.push_back(
        {name, number_of(name), title_of(content, path), question_of(content), content, {}, false});
  }
  std::sort(pages.begin(), pages.end(), [](const Page& a, const Page& b) { return a.name < b.name; });
  return pages;
}

// All scripts that come with every page, umbra*.js first, in alphabetical order.
std::string scripts(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".js") names.push_back(entry.path().filename());
  const auto other = [](const std::string& name) { return !name.starts_with("umbra"); };
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(other(a), a) < std::pair(other(b), b);
  });
  std::string out;
  for (const std::string& name : names) out += "<script>\n" + content_of(folder / name) + "</script>\n";
  return out;
}

// The JSON of the run with < as an escape, which in JSON can only be inside of a string: nothing in it ends the script.
std::string embedded(const std::string& json) {
  std::string out;
  for (const char c : json) out += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return out;
}

std::string link(const Page& page, const std::string& before, const std::string& kind) {
  return "<a class=\"" + kind + "\" href=\"" + html_escaped(page.name) + ".html\"><small>" + before +
         "</small>" + page.number + ". " + page.title + "</a>";
}

// The page of pages[i].
std::string lesson_page(const PageOptions& options, const std::vector<Page>& pages, std::size_t i) {
  const fs::path folder = options.source_folder / "tools/learn";
  const Page& page = pages[i];
  const Page* previous = i > 0 ? &pages[i - 1] : nullptr;
  const Page* next = i + 1 < pages.size() ? &pages[i + 1] : nullptr;
  std::string links, turn;
  if (previous) {
    links += "<a rel=\"prev\" href=\"" + html_escaped(previous->name) + ".html\">← Lesson " +
             previous->number + "</a>";
    turn += link(*previous, "Previous lesson", "previous");
  }
  if (next) {
    links +=
        "<a rel=\"next\" href=\"" + html_escaped(next->name) + ".html\">Lesson " + next->number + " →</a>";
    turn += link(*next, "Next lesson", "next");
  }
  std::string code = scripts(folder / "page");
  if (fs::exists(folder / page.name / "view.js"))
    code += "<script>\n" + content_of(folder / page.name / "view.js") + "</script>\n";
  const fs::path file = folder / "page/page.html";
  return filled(content_of(file),
                {{"TITLE", page.number + ". " + without_tags(page.title)},
                 {"STYLE", content_of(folder / "page/page.css")},
                 {"NUMBER", page.number},
                 {"NAME", html_escaped(page.name)},
                 {"LINKS", links},
                 {"CONTENT", page.content},
                 {"ABOUT", with_commands(with_wide_tables(about_run(page.run)))},
                 {"TURN", turn},
                 {"RUN", embedded(content_of(options.work_folder / page.name / "run.json"))},
                 {"SCRIPTS", code}},
                file.string());
}

std::string index_page(const PageOptions& options, const std::vector<Page>& pages) {
  const fs::path folder = options.source_folder / "tools/learn/page";
  std::string lessons;
  for (const Page& page : pages)
    lessons += "<li><span class=\"number\">" + page.number + "</span><div>\n<h3>" + "<a href=\"" +
               html_escaped(page.name) + ".html\">" + page.title + "</a></h3>\n<p>" + page.question +
               "</p>\n</div></li>\n";
  return filled(with_commands(content_of(folder / "index.html")),
                {{"STYLE", content_of(folder / "page.css")}, {"LESSONS", lessons}},
                (folder / "index.html").string());
}

}  // namespace

void check_outputs(const PageOptions& options) {
  require(!options.out.empty(), "--out: the name of a folder is expected");
  make_folder(options.out, "the page");
  std::vector<fs::path> files{options.out / "index.html"};
  for (const std::string& name : options.lessons) files.push_back(options.out / (name + ".html"));
  for (const fs::path& path : files)
    check_writable(path.string(), {},
                   options.overwrite || (fs::is_regular_file(path) && is_ours(content_of(path))));
}

void build_pages(const PageOptions& options) {
  const fs::path index = options.out / "index.html";
  check_outputs(options);
  std::vector<Page> pages;
  for (const std::string& name : options.lessons) pages.push_back(converted(options, name));
  pages = with_earlier_pages(std::move(pages), options.out);
  std::vector<std::pair<fs::path, std::string>> texts{{index, index_page(options, pages)}};
  for (std::size_t i = 0; i < pages.size(); ++i)
    if (pages[i].is_new)
      texts.emplace_back(options.out / (pages[i].name + ".html"), lesson_page(options, pages, i));
  for (const auto& [path, text] : texts) write_text_file(path, text);
}

}  // namespace umbra::learn
