// The builder of the lessons' pages: numbers of the run in the text, and what a page is refused for.
#include "tools/learn/page_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "engine/io/atomic_file.h"
#include "test_paths.h"
#include "tests/fixtures/folder_test.h"
#include "tools/learn/page_html.h"
#include "tools/learn/page_values.h"

namespace umbra::learn {
namespace {

namespace fs = std::filesystem;

RunRecord sample_run() {
  RunRecord run;
  run.lesson = "01_sample";
  run.settings = {{"steps", "1e3", "the <number> of steps", "1e3"}};
  run.claims = {{"3 < 4", true}, {"the loss falls", false}};
  run.recorded = {{"loss", {}, {0.12345678}, {}},
                  {"tiny", {}, {1.5e-9}, {}},
                  {"w", {2, 3}, {1, 2, 3, 4, 5, 6.5}, {}},
                  {"curve", {3}, {1, NAN, -2}, {}},
                  {"names", {2}, {}, {"setosa", "virginica"}}};
  run.output = {"</script> & more"};
  return run;
}

RunRecord large_run() {
  RunRecord run;
  run.recorded = {{"n", {}, {-80663762}, {}}};
  return run;
}

std::string refused(const std::string& text) {
  try {
    with_values(text, sample_run(), "page.md");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PageValues, AreThoseOfTheRun) {
  const auto values = [](const std::string& text) { return with_values(text, sample_run(), "page.md"); };
  EXPECT_EQ(values("{{loss}}, {{ loss:.2f }}, {{loss:+.1e}}"), "0.1235, 0.12, +1.2·10⁻¹");
  EXPECT_EQ(values("{{w[0,0]}} {{w[1, 2]}} {{w[-1,-2]:d}} {{w[1,2]:.3f}}"), "1 6.5 5 6.500");
  EXPECT_EQ(values("{{curve[1]}} {{curve[-1]}} {{names[1]}} {{setting steps}}"), "NaN −2 virginica 1e3");
  EXPECT_EQ(with_values("{{n}} {{n:d}} $n = {{n:d}}$ `{{n:d}}`", large_run(), "page.md"),
            "−8.066·10⁷ −80\u202f663\u202f762 $n = -80\\,663\\,762$ `-80663762`");
  EXPECT_EQ(values("no value {x} }} { {"), "no value {x} }} { {");
}

TEST(PageValues, AreTypesetForTextFormulasAndCode) {
  RunRecord run = sample_run();
  run.recorded.push_back({"ten", {}, {1e-7}, {}});
  run.recorded.push_back({"all", {4}, {-1.5e-9, NAN, -INFINITY, 2e20}, {}});
  const auto values = [&](const std::string& text) { return with_values(text, run, "page.md"); };
  const std::string all = "{{all[0]}} {{all[1]}} {{all[2]}} {{all[3]:.1e}} {{ten}}";
  const std::string text = "−1.5·10⁻⁹ NaN −∞ 2.0·10²⁰ 10⁻⁷", code = "-1.5e-09 nan -inf 2.0e+20 1e-07",
                    formula = "-1.5 \\cdot 10^{-9} \\text{NaN} -\\infty 2.0 \\cdot 10^{20} 1 \\cdot 10^{-7}";
  EXPECT_EQ(values(all), text);
  EXPECT_EQ(values("$" + all + "$ " + all), "$" + formula + "$ " + text);
  EXPECT_EQ(values("$$\n" + all + "\n$$\n" + all), "$$\n" + formula + "\n$$\n" + text);
  EXPECT_EQ(values("`" + all + "` " + all), "`" + code + "` " + text);
  EXPECT_EQ(values("```\n$x\n\n" + all + "\n```\n" + all), "```\n$x\n\n" + code + "\n```\n" + text);
  EXPECT_EQ(values("5 \\$ " + all), "5 \\$ " + text);
  EXPECT_EQ(values("a single $\n\n" + all), "a single $\n\n" + text)
      << "no formula continues after its paragraph";
  EXPECT_EQ(values("a single `\n\n" + all), "a single `\n\n" + text);
}

TEST(PageValues, WhatTheRunHasNotIsRefusedWithItsLine) {
  EXPECT_EQ(refused("one\n\n{{los}}"),
            "page.md:3: {{los}}: the run has no record 'los'; did you mean 'loss'?");
  EXPECT_EQ(refused("$$\nx\n$$ {{setting step}}"),
            "page.md:3: {{setting step}}: the run has no setting 'step'; did you mean 'steps'?");
  EXPECT_EQ(refused("{{w}}"), "page.md:1: {{w}}: w has 6 elements: write an index, such as w[0]");
  EXPECT_EQ(refused("{{w[4]}}"),
            "page.md:1: {{w[4]}}: index 4 is outside of axis 0 of w, which has 2 elements");
  EXPECT_EQ(refused("{{w[1]}}"), "page.md:1: {{w[1]}}: w needs 2 indices, [i, j, …]");
  EXPECT_EQ(refused("{{curve[-4]}}"),
            "page.md:1: {{curve[-4]}}: index -4 is outside of axis 0 of curve, which has 3 elements");
  EXPECT_EQ(refused("{{curve[1,0]}}"), "page.md:1: {{curve[1,0]}}: curve has 1 axes, fewer than indices");
  EXPECT_EQ(refused("{{curve[a]}}"), "page.md:1: {{curve[a]}}: the index 'a' is not a whole number");
  EXPECT_EQ(refused("{{curve[1}}"), "page.md:1: {{curve[1}}: ']' is missing");
  EXPECT_EQ(refused("{{loss\n}}"), "page.md:1: {{loss }}: }} is missing");
  EXPECT_EQ(refused("{{loss:s}}"),
            "page.md:1: {{loss:s}}: the format 's' is not one of printf's for a number, such as .2f");
  EXPECT_EQ(refused("{{loss:%n.2f}}").find("page.md:1: {{loss:%n.2f}}: the format"), 0U);
  EXPECT_EQ(refused("{{loss:d}}"),
            "page.md:1: {{loss:d}}: the format d is for whole numbers, not 0.12345678");
}

TEST(PageHtml, CommandsAreWrittenAsTheyMustBeTyped) {
  EXPECT_EQ(with_commands("learn a <code>learn</code> <code>learn run 01</code> <code>to learn b</code>"),
            "learn a <code>learn</code> <code>build/tools/learn run 01</code> <code>to learn b</code>");
  EXPECT_EQ(
      with_commands("<pre><code>learn a &lt; b\nlearn c\n  d\nlearner\n</code></pre>\nlearn e"),
      "<pre><code>build/tools/learn a &lt; b\nbuild/tools/learn c\n  d\nlearner\n</code></pre>\nlearn e");
  EXPECT_EQ(with_commands("<code>learn "), "<code>build/tools/learn ");
}

TEST(PageHtml, ATitleIsTextWithoutTags) {
  EXPECT_EQ(
      without_tags(
          "a <em>b</em> &lt; <math><mi>c</mi><annotation encoding=\"application/x-tex\">\\c</annotation></math>d"),
      "a b &lt; cd");
}

TEST(PageHtml, AParagraphThatIsAFormulaMayBeWide) {
  const std::string formula = "<math display=\"block\"><mi>x</mi></math>",
                    text = "<p>" + formula + " text</p>";
  EXPECT_EQ(with_placed_formulas(text + "<p>" + formula + "</p>" + text),
            text + "<p class=\"formula\">" + formula + "</p>" + text);
}

TEST(PageHtml, PunctuationStaysOnTheLineOfItsFormula) {
  const std::string x = "<math display=\"inline\"><mi>x</mi></math>";
  const auto bound = [](const std::string& text) { return "<span class=\"bound\">" + text + "</span>"; };
  EXPECT_EQ(with_placed_formulas("See " + x + ", (" + x + " and " + x + ") " + x + " or (" + x + ")."),
            "See " + bound(x + ",") + " " + bound("(" + x) + " and " + bound(x + ")") + " " + x + " or " +
                bound("(" + x + ")."));
}

TEST(PageHtml, OverlinesAreBoxesAlsoWithinAccents) {
  const auto over = [](const std::string& base, const std::string& accent) {
    return "<mover>" + base + "<mo accent=\"true\">" + accent + "</mo></mover>";
  };
  const auto box = [](const std::string& base) { return "<mrow class=\"overline\">" + base + "</mrow>"; };
  const std::string hat = over("<mi>y</mi>", "^");
  EXPECT_EQ(with_overlines(hat + over("<mi>x</mi>" + hat, "¯") + hat), hat + box("<mi>x</mi>" + hat) + hat);
  EXPECT_EQ(with_overlines(over(over("<mi>x</mi>", "¯") + hat, "¯")), box(box("<mi>x</mi>") + hat));
}

/// A source tree with one lesson, its run, and the folder for its page.
class BuildPages : public FolderTest {
 protected:
  BuildPages() {
    if (std::system("pandoc --version > /dev/null 2>&1") != 0) return;
    has_pandoc_ = true;
    fs::create_directories(folder_ / "source/tools/learn/01_sample");
    fs::create_directory_symlink(fs::path(UMBRA_SOURCE_DIR) / "tools/learn/page",
                                 folder_ / "source/tools/learn/page");
    fs::create_directories(folder_ / "learning/01_sample");
    write_run(folder_ / "learning/01_sample/run.json", sample_run());
    write_text_file(folder_ / "learning/01_sample/curve.svg",
                    "<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 300 200\" role=\"img\">curve</svg>\n");
    text("# 1. A *sample*\n\nThe loss is {{loss}}. `learn check 01`\n\n![A curve](curve.svg)\n");
  }
  void SetUp() override {
    if (!has_pandoc_) GTEST_SKIP() << "pandoc is not installed";
  }
  /// The question comes after the title.
  void text(const std::string& page, const std::string& question = "<!-- question: Why < 1? -->\n") {
    const std::size_t end = page.find('\n') + 1;
    write_text_file(folder_ / "source/tools/learn/01_sample/page.md",
                    page.substr(0, end) + question + page.substr(end));
  }
  std::string built(bool overwrite = true) {
    try {
      build_pages({folder_ / "source", folder_ / "learning", folder_ / "site", {"01_sample"}, overwrite});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  std::string page(const std::string& name) const {
    std::ifstream in(folder_ / "site" / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  bool has_pandoc_ = false;
};

TEST_F(BuildPages, APageHasTextFiguresClaimsSettingsAndTheRun) {
  ASSERT_EQ(built(), "");
  const std::string lesson = page("01_sample.html"), index = page("index.html");
  EXPECT_NE(lesson.find("The loss is 0.1235. <code>build/tools/learn check 01</code>"), std::string::npos);
  EXPECT_NE(
      lesson.find(
          "<figure style=\"--width: 300px\">\n<svg viewBox=\"0 0 300 200\" role=\"img\">curve</svg>\n<figcaption>A curve</figcaption>"),
      std::string::npos);
  EXPECT_NE(lesson.find("aria-label=\"holds:\">✓</span> 3 &lt; 4"), std::string::npos);
  EXPECT_NE(lesson.find("aria-label=\"does not hold:\">✗</span> the loss falls"), std::string::npos);
  EXPECT_NE(lesson.find("<td><code>steps</code></td><td>1e3</td><td>the &lt;number&gt; of steps</td>"),
            std::string::npos);
  EXPECT_NE(lesson.find("<code>build/tools/learn run 01 steps=VALUE\nbuild/tools/learn diff 01</code>"),
            std::string::npos);
  EXPECT_NE(lesson.find("&lt;/script&gt; &amp; more"), std::string::npos);
  EXPECT_NE(lesson.find("\\u003c/script> & more"), std::string::npos) << "the run must not end its script";
  EXPECT_NE(lesson.find("<title>1. A sample · "), std::string::npos);
  EXPECT_EQ(lesson.find("rel=\"next\""), std::string::npos);
  EXPECT_NE(index.find("<a href=\"01_sample.html\">A <em>sample</em></a></h3>\n<p>Why &lt; 1?</p>"),
            std::string::npos);
  EXPECT_NE(index.find("<code>build/tools/learn check 01</code>"), std::string::npos);
}

TEST_F(BuildPages, FilesThatExistAreKeptUnlessOverwrite) {
  fs::create_directories(folder_ / "site");
  write_text_file(folder_ / "site/index.html", "mine");
  EXPECT_EQ(built(false), concat("cannot write '", (folder_ / "site/index.html").string(),
                                 "': it exists; --overwrite replaces it"));
  EXPECT_EQ(page("index.html"), "mine");
  EXPECT_FALSE(fs::exists(folder_ / "site/01_sample.html"));
  EXPECT_EQ(built(true), "");
  write_text_file(folder_ / "site/01_sample.html", "mine");
  EXPECT_EQ(built(false), concat("cannot write '", (folder_ / "site/01_sample.html").string(),
                                 "': it exists; --overwrite replaces it"));
}

TEST_F(BuildPages, PagesOfTheCourseAreReplaced) {
  ASSERT_EQ(built(false), "");
  text("# 1. Other\n\nText.\n");
  EXPECT_EQ(built(false), "");
  EXPECT_NE(page("01_sample.html").find("Other"), std::string::npos);
}

TEST_F(BuildPages, PagesOfOtherLessonsStayAndAreInTheIndex) {
  ASSERT_EQ(built(false), "");
  const std::string first = page("01_sample.html");
  write_text_file(folder_ / "site/00_mine.html", "<h1>0. Mine</h1>");
  fs::rename(folder_ / "source/tools/learn/01_sample", folder_ / "source/tools/learn/12_other");
  fs::rename(folder_ / "learning/01_sample", folder_ / "learning/12_other");
  RunRecord run = sample_run();
  run.lesson = "12_other";
  write_run(folder_ / "learning/12_other/run.json", run);
  write_text_file(folder_ / "source/tools/learn/12_other/page.md",
                  "# 12. Other\n<!-- question: More? -->\n\nText.\n");
  build_pages({folder_ / "source", folder_ / "learning", folder_ / "site", {"12_other"}, false});
  EXPECT_EQ(page("01_sample.html"), first);
  EXPECT_NE(page("12_other.html").find("<a rel=\"prev\" href=\"01_sample.html\">← Lesson 1</a>"),
            std::string::npos);
  const std::string index = page("index.html");
  const std::size_t one = index.find("A <em>sample</em></a></h3>\n<p>Why &lt; 1?</p>"),
                    two = index.find("<a href=\"12_other.html\">Other</a></h3>\n<p>More?</p>");
  EXPECT_LT(one, two);
  EXPECT_NE(two, std::string::npos);
  EXPECT_EQ(index.find("Mine"), std::string::npos);
}

TEST_F(BuildPages, APageThatIsNotAsItMustBeIsRefused) {
  const std::string file = (folder_ / "source/tools/learn/01_sample/page.md").string();
  text("Text.\n");
  EXPECT_EQ(built(), file + ": a page begins with its title, '# 1. Title'");
  text("# Title\n");
  EXPECT_EQ(built(), file + ": the title begins with the number, '# 1. Title'");
  text("# 1. Title\n\nText.\n", "");
  EXPECT_EQ(built(),
            file + ": after the title, a page has the line <!-- question: what the lesson answers -->");
  text("# 1. Title\n\n![](curve.svg)\n");
  EXPECT_EQ(built(), file + ": the figure 'curve.svg' needs a text for those who cannot see it");
  text("# 1. Title\n\nSee ![A curve](curve.svg).\n");
  EXPECT_EQ(built(), file + ": the figure 'curve.svg' must be a paragraph by itself");
  text("# 1. Title\n\n![A curve](none.svg)\n");
  EXPECT_EQ(built(), file + ": the run has no figure 'none.svg'");
  text("# 1. Title\n\n![A curve](https://example.org/x.png)\n");
  EXPECT_EQ(built(), file + ": the image 'https://example.org/x.png' is not a figure NAME.svg of the run");
  text("# 1. Title\n\nA formula: $\\frac{1$\n");
  EXPECT_EQ(built().find(file + ": pandoc: [WARNING]"), 0U);
  EXPECT_FALSE(fs::exists(folder_ / "site/index.html"));
}

TEST_F(BuildPages, WithoutARunThePageIsRefused) {
  fs::remove(folder_ / "learning/01_sample/run.json");
  EXPECT_EQ(built(), concat("the lesson 01_sample has not been run: there is no '",
                            (folder_ / "learning/01_sample/run.json").string(), "'"));
}

TEST_F(BuildPages, WithoutPandocItsPackageIsNamed) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", folder_.c_str(), 1);
  EXPECT_EQ(built(), "pages need pandoc, which is not installed: apt install pandoc");
  ::setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace umbra::learn
