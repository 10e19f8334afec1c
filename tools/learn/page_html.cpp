#include "tools/learn/page_html.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "engine/base/error.h"

namespace umbra::learn {
namespace {

std::string replaced(const std::string& text, const std::string& from, const std::string& to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at; (at = text.find(from, begin)) != std::string::npos; begin = at + from.size())
    out += text.substr(begin, at - begin) + to;
  return out + text.substr(begin);
}

// The value of an attribute of the tag that begins with `tag`, as it is written there.
std::string attribute(const std::string& tag, const std::string& name) {
  const std::string start = " " + name + "=\"";
  const std::size_t begin = tag.find(start);
  if (begin == std::string::npos) return "";
  return tag.substr(begin + start.size(), tag.find('"', begin + start.size()) - begin - start.size());
}

// The file from its <svg> on, without an XML declaration.
std::string svg_of(const std::filesystem::path& path, const std::string& page) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find("<svg");
  require(begin != std::string::npos, page, ": the run has no figure '", path.filename().string(), "'");
  return text.substr(begin);
}

}  // namespace

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const char* entity = c == '&'   ? "&amp;"
                         : c == '<' ? "&lt;"
                         : c == '>' ? "&gt;"
                         : c == '"' ? "&quot;"
                                    : nullptr;
    out += entity ? std::string(entity) : std::string(1, c);
  }
  return out;
}

std::string filled(const std::string& text, const std::map<std::string, std::string>& parts,
                   const std::string& file) {
  const auto is_name = [](char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; };
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (text[i] == '@' && end < text.size() && is_name(text[end])) ++end;
    if (text[i] != '@' || end == i + 1 || end == text.size() || text[end] != '@') {
      out += text[i++];
      continue;
    }
    const std::string name = text.substr(i + 1, end - i - 1);
    require(parts.count(name) == 1, "'", file, "' has @", name,
            "@, which the builder of pages does not fill in");
    out += parts.at(name);
    i = end + 1;
  }
  return out;
}

std::string with_figures(const std::string& html, const std::filesystem::path& folder,
                         const std::string& page) {
  const std::string start = "<img", before = "<p>", after = "</p>";
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at; (at = html.find(start, begin)) != std::string::npos;) {
    const std::size_t end = html.find('>', at) + 1;
    const std::string tag = html.substr(at, end - at), name = attribute(tag, "src"),
                      text = attribute(tag, "alt");
    require(name.ends_with(".svg") && name.find('/') == std::string::npos, page, ": the image '", name,
            "' is not a figure NAME.svg of the run");
    require(!text.empty(), page, ": the figure '", name, "' needs a text for those who cannot see it");
    require(at >= begin + before.size() && html.compare(at - before.size(), before.size(), before) == 0 &&
                html.compare(end, after.size(), after) == 0,
            page, ": the figure '", name, "' must be a paragraph by itself");
    const std::string svg = svg_of(folder / name, page),
                      box = attribute(svg.substr(0, svg.find('>')), "viewBox");
    double width = 640, left, top;
    std::sscanf(box.c_str(), "%lf %lf %lf", &left, &top, &width);
    out += concat(html.substr(begin, at - before.size() - begin), "<figure style=\"--width: ", width,
                  "px\">\n", svg, "<figcaption>", text, "</figcaption>\n</figure>");
    begin = end + after.size();
  }
  return out + html.substr(begin);
}

std::string with_wide_tables(const std::string& html) {
  return replaced(replaced(html, "<table", "<div class=\"scrolls wide\"><table"), "</table>",
                  "</table></div>");
}

std::string without_tags(const std::string& html) {
  std::string out;
  for (std::size_t i = 0; i < html.size(); ++i) {
    const std::string_view rest = std::string_view(html).substr(i);
    if (rest.starts_with("<annotation"))
      i = std::min(html.find("</annotation", i), html.size());  // TeX of a formula
    if (html[i] == '<')
      i = std::min(html.find('>', i), html.size());
    else
      out += html[i];
  }
  return out;
}

std::string with_overlines(const std::string& html) {
  const std::string begin = "<mover>", end = "</mover>", mark = "<mo accent=\"true\">¯</mo>" + end;
  std::string out = html;
  for (std::size_t at; (at = out.find(mark)) != std::string::npos;) {
    std::size_t open = at;
    for (int depth = 1; depth > 0;) {
      const std::size_t opened = out.rfind(begin, open - 1), closed = out.rfind(end, open - 1);
      const bool nested = closed != std::string::npos && closed > opened;
      depth += nested ? 1 : -1;
      open = nested ? closed : opened;
    }
    out.replace(at, mark.size(), "</mrow>");
    out.replace(open, begin.size(), "<mrow class=\"overline\">");
  }
  return out;
}

std::string with_placed_formulas(const std::string& html) {
  const std::string start = "<p>", block = "<math display=\"block\"", line = "<math display=\"inline\"",
                    end = "</math>";
  std::string out = html;
  for (std::size_t at = 0; (at = out.find(start + block, at)) != std::string::npos; at += start.size()) {
    const std::size_t after = out.find(end, at) + end.size();
    if (out.compare(after, 4, "</p>") == 0) out.replace(at, start.size(), "<p class=\"formula\">");
  }
  for (std::size_t at = 0; (at = out.find(line, at)) != std::string::npos;) {
    const std::size_t after = out.find(end, at) + end.size(), next = out.find_first_not_of(".,;:!?)", after);
    const std::size_t begin = at > 0 && out[at - 1] == '(' ? at - 1 : at;
    if (next != after || begin != at) {
      out.insert(std::min(next, out.size()), "</span>");
      out.insert(begin, "<span class=\"bound\">");
    }
    at = out.find(end, at);
  }
  return out;
}

std::string with_commands(const std::string& html) {
  const std::string begin = "<code>", end = "</code>", command = "learn ";
  std::string out = html;
  for (std::size_t at = 0; (at = out.find(begin, at)) != std::string::npos;)
    for (at += begin.size(); at < out.size(); ++at) {  // each line of the code
      if (out.compare(at, command.size(), command) == 0) out.insert(at, "build/tools/");
      at = out.find_first_of("\n<", at);
      if (at >= out.size() || out.compare(at, end.size(), end) == 0) break;
    }
  return out;
}

std::string about_run(const RunRecord& run) {
  std::string out = "<h2 id=\"this-run-claims\">What this run claims</h2>\n<ul class=\"claims\">\n";
  for (const Claimed& claim : run.claims)
    out +=
        std::string(claim.holds
                        ? "<li><span class=\"holds\" role=\"img\" aria-label=\"holds:\">✓</span> "
                        : "<li><span class=\"fails\" role=\"img\" aria-label=\"does not hold:\">✗</span> ") +
        html_escaped(claim.text) + "</li>\n";
  out += "</ul>\n";
  const std::string number = run.lesson.substr(0, 2);
  if (!run.settings.empty()) {
    out +=
        "<h2 id=\"change-one-thing\">Change one thing</h2>\n<p>The lesson has these settings. Choose one, predict what "
        "another value will do, then run the lesson with it. The second command shows the first number that is "
        "different.</p>\n<pre><code>learn run " +
        number + " " + html_escaped(run.settings.front().key) + "=VALUE\nlearn diff " + number +
        "</code></pre>\n<table>\n<thead><tr><th scope=\"col\">setting</th><th scope=\"col\">in this run</th>"
        "<th scope=\"col\">meaning</th></tr></thead>\n<tbody>\n";
    for (const SettingValue& setting : run.settings)
      out += "<tr><td><code>" + html_escaped(setting.key) + "</code></td><td>" + html_escaped(setting.value) +
             "</td><td>" + html_escaped(setting.meaning) + "</td></tr>\n";
    out += "</tbody>\n</table>\n";
  }
  out += "<details>\n<summary>What the program printed</summary>\n<pre><samp>";
  for (const std::string& line : run.output) out += html_escaped(line) + "\n";
  return out + "</samp></pre>\n</details>\n";
}

}  // namespace umbra::learn
